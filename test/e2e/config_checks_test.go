//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// needy is a workload named web with a variable from the ConfigMap settings, whose pods need the Secret login, too.
func (s *space) needy(kind string) {
	s.Helper()
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	s.kubectl("create", "configmap", "extras", "--from-literal=size=big")
	s.kubectl("create", "secret", "generic", "login", "--from-literal=token=hush-now")
	s.kubectl("create", "-f", s.write(s.dir(), "web.yaml", configuredNative(kind)+"        envFrom: [{secretRef: {name: login}}]\n"))
	s.kubectl("rollout", "status", kind+"/web")
}

// stoppedByACheck expects that a check stops a command before anything is written, and is told once.
func (s *space) stoppedByACheck(args ...string) {
	s.Helper()
	p := s.plugin(args...).ends(1, "web: check FAIL References: pods need what does not exist: Secret login",
		"a check stands against it: References:", "nothing was written, and --skip-checks begins all the same")
	if told := p.errOut.String(); strings.Count(told, "check FAIL") != 1 || p.out.String() != "" {
		s.Errorf("%v: not told once, or something was done\n%s", args, p.output())
	}
}

// What start would not begin is not begun by a change of configuration either, for any kind.
func TestConfigChecksBeforeItWrites(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			s.needy(kind)
			object := strings.ToLower(kind) + "/web"
			s.kubectl("delete", "secret", "login")
			manifest := s.write(s.dir(), "settings.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {color: red}}")
			before := s.kubectl("get", object, "-o", "jsonpath={.metadata.generation}")
			for _, args := range [][]string{
				{"config", "set", "settings", "color=red", "--yes"},
				{"config", "set", "settings", "color=red", "--yes", "--dry-run=server"},
				{"config", "apply", "-f", manifest, "--yes", "--in-place"},
				{"config", "attach", object, "--env-from-config", "extras"},
				{"config", "detach", object, "settings"},
			} {
				s.stoppedByACheck(args...)
			}
			s.expectColor(t, "blue")
			s.expectVersions(0)
			s.inALaterSecond()
			s.recolor("green")
			s.stoppedByACheck("restart", "--config", "settings")
			s.stoppedByACheck("restart", "--stale")
			s.expectVersions(0)
			if after := s.kubectl("get", object, "-o", "jsonpath={.metadata.generation}"); after != before {
				t.Errorf("the generation is %s, not %s", after, before)
			}
			s.plugin("restart", "--config", "settings", "--skip-checks", "--steps", "100%").ends(0, "web rolled out")
			s.plugin("config", "set", "settings", "color=red", "--yes", "--skip-checks", "--steps", "100%").ends(0, "configmap/settings changed", "web rolled out")
			s.plugin("restart", object, "--skip-checks").ends(2, "--skip-checks", "go with --config or --stale")
		})
	}
}

// Edits that a check stands against are told once by a watch, and rolled out when it does not any more.
func TestWatchChecksEdits(t *testing.T) {
	s := newSpace(t)
	s.needy("Deployment")
	s.plugin("config", "set", "settings", "color=red", "--yes", "--steps", "100%").ends(0)
	s.kubectl("delete", "secret", "login")
	p := s.watching("settings")
	s.recolor("green")
	p.tells("a check stands against it: References: pods need what does not exist: Secret login")
	p.tells("Watching goes on; configmap/settings is looked at again in 5s")
	s.kubectl("create", "secret", "generic", "login", "--from-literal=token=hush-now")
	p.tells("deployment.apps/web rolled out (revision 3)")
	p.stopped()
	if strings.Count(p.errOut.String(), "check FAIL") != 1 {
		t.Errorf("not told once\n%s", p.output())
	}
}

// Checks know of what is about to be written: keys that the object does not have yet, too.
func TestConfigChecksExpectWhatIsWritten(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			w := newConfigured(t)
			w.kubectl("patch", "configmap", "settings", "--type=json", "-p", `[{"op": "remove", "path": "/data/color"}]`)
			w.plugin("check", "deployment/web").ends(4, "FAIL References: pods need what does not exist: key color of ConfigMap settings")
			p := w.plugin("config", "set", "settings", "color=red", "--yes", mode.flag, "--steps", "100%").ends(0, "deployment.apps/web rolled out")
			if strings.Contains(p.output(), "References") {
				t.Errorf("what is about to be written is missed\n%s", p.output())
			}
		})
	}
}

// secondFails changes the ConfigMap settings of two Deployments. The second finds no room for its pods; when it goes back, which
// is told by that text, a check would stand against the first.
func (s *space) secondFails(goesBack string, args ...string) *process {
	s.Helper()
	s.needy("Deployment")
	zenith := strings.ReplaceAll(configuredNative("Deployment"), "web", "zenith")
	s.kubectl("create", "-f", s.write(s.dir(), "zenith.yaml", strings.Replace(zenith, "replicas: 2", "replicas: 2\n  progressDeadlineSeconds: 10", 1)))
	s.kubectl("rollout", "status", "deployment/zenith")
	p := s.plugin(append([]string{"config", "set", "settings", "color=red", "--yes", "--steps", "100%", "--max-surge", "1", "--max-unavailable", "0"}, args...)...)
	p.tells("deployment.apps/web rolled out (revision 2)")
	s.limit("4")
	s.kubectl("delete", "secret", "login")
	p.tells(goesBack)
	s.limit("100")
	return p
}

// No check keeps anybody from a way back.
func TestNoCheckStopsTheWayBack(t *testing.T) {
	s := newSpace(t)
	s.secondFails("rolling back").ends(5, "deployment.apps/web rolled out (revision 3)", "configmap/settings and all that references it are as they were")
	s.expectColor(t, "blue")
}
