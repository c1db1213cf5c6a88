//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// configuredNative is a StatefulSet or DaemonSet named web with a variable from the ConfigMap settings.
func configuredNative(kind string) string {
	return workloadManifest(kind, "web:v1") + `        env: [{name: COLOR, valueFrom: {configMapKeyRef: {name: settings, key: color}}}]
`
}

// What a StatefulSet or DaemonSet does not start with goes back, with the object and all references.
func TestConfigSetThatBreaksNative(t *testing.T) {
	t.Parallel()
	for short, kind := range map[string]string{"sts": "StatefulSet", "ds": "DaemonSet"} {
		for name, mode := range modes {
			t.Run(short+" "+name, func(t *testing.T) {
				s := newSpace(t)
				s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
				s.kubectl("create", "-f", s.write(s.dir(), "web.yaml", configuredNative(kind)))
				s.kubectl("rollout", "status", short+"/web")
				named := func() string {
					return s.kubectl("get", short, "web", "-o",
						`jsonpath={.spec.template.spec.containers[0].env[0].valueFrom.configMapKeyRef.name} {.spec.template.metadata.annotations.rollout-plus/configmap\.settings}`)
				}
				// From a version, and from the plain name: what is noted before the second change is the first.
				plain := named()
				s.breaks(s.versionOfConfig("color=red"))
				for round, before := range []string{"blue", "green"} {
					if round == 1 {
						s.plugin("config", "set", "settings", "color=green", "--yes", mode.flag).ends(0, "rolled out")
						plain = mode.name(s.versionOfConfig("color=green"))
					}
					p := s.plugin("config", "set", "settings", "color=red", "--yes", mode.flag)
					p.ends(5, "failed: pod web-", "CrashLoopBackOff", "next: kubectl rollout-plus start ", "rolling back to what was revision", "configmap/settings and all that references it are as they were")
					s.expectColor(t, before)
					if got := named(); got != plain {
						t.Errorf("the template names %q, not %q", got, plain)
					}
					s.plugin("status", short+"/web").ends(0)
				}
				pods := s.kubectl("get", "pods", "-l", "app=web", "-o", `jsonpath={range .items[*]}{.spec.containers[0].image} {.status.containerStatuses[0].ready}{"\n"}{end}`)
				for line := range strings.Lines(pods) {
					if line != "web:v1 true\n" {
						t.Errorf("a pod is %q", line)
					}
				}
			})
		}
	}
}

// Whatever becomes of the command, undo finds what the object held when the revision was left.
func TestUndoOfKilledConfigSetOfNative(t *testing.T) {
	for short, kind := range map[string]string{"sts": "StatefulSet", "ds": "DaemonSet"} {
		for name, mode := range modes {
			t.Run(short+" "+name, func(t *testing.T) {
				s := newSpace(t)
				s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
				s.kubectl("create", "-f", s.write(s.dir(), "web.yaml", configuredNative(kind)))
				s.kubectl("rollout", "status", short+"/web")
				s.limit("0") // no new pod starts before the command is killed
				p := s.plugin("config", "set", "settings", "color=red", "--yes", "--skip-checks", mode.flag)
				p.tells("step 1/")
				p.signal(syscall.SIGKILL)
				p.code()
				s.expectColor(t, "red")
				s.limit("1000")
				s.plugin("undo", short+"/web", "--wait").ends(0, fmt.Sprintf("configmap/settings holds again what it held before the change (%s)", s.versionOfConfig("color=blue")))
				s.expectColor(t, "blue")
			})
		}
	}
}

// A revision that was left more than once is gone back to as it was the last time.
func TestUndoToWhatWasLeftLast(t *testing.T) {
	w := newConfigured(t)
	first := []string{"undo", "deployment/web", "--to-revision", "1", "--steps", "100%"}
	w.plugin("config", "set", "settings", "color=red", "--yes", "--steps", "100%").ends(0)
	w.plugin(first...).ends(0, "configmap/settings holds again what was kept for that revision")
	w.expectColor(t, "blue")
	w.kubectl("patch", "configmap", "settings", "-p", `{"data":{"color":"by hand"}}`)
	w.plugin("config", "set", "settings", "color=red", "--yes", "--steps", "100%").ends(0)
	w.plugin("config", "set", "settings", "color=blue", "--yes", "--steps", "100%").ends(0)
	first[3] = "3" // which the first is by now
	w.plugin(first...).ends(0, "configmap/settings holds again what was kept for that revision")
	w.expectColor(t, "by hand")
}
