//go:build e2e

package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// optionally are the ways in which a template takes the ConfigMap or Secret settings, that need not be there.
func optionally(kind string) map[string]string {
	reference, name := "configMap", "name"
	if kind == "secret" {
		reference, name = "secret", "secretName"
	}
	volume := func(sub, source string) string {
		return `"containers":[{"name":"web","volumeMounts":[{"name":"v","mountPath":"/etc/web/color"` + sub + `}]}],"volumes":[{"name":"v",` + source + `}]`
	}
	whole := `"` + reference + `":{"` + name + `":"settings","optional":true}`
	return map[string]string{
		"env": `"containers":[{"name":"web","env":[{"name":"COLOR","valueFrom":{"` + reference +
			`KeyRef":{"name":"settings","key":"color","optional":true}}}]}]`,
		"envfrom":   `"containers":[{"name":"web","envFrom":[{"` + reference + `Ref":{"name":"settings","optional":true}}]}]`,
		"files":     volume("", whole),
		"subpath":   volume(`,"subPath":"color"`, whole),
		"projected": volume("", `"projected":{"sources":[{"`+reference+`":{"name":"settings","optional":true}}]}`),
	}
}

// takes has Deployments run that take settings, one in each of some ways.
func (s *space) takes(ways map[string]string) {
	s.Helper()
	for way, spec := range ways {
		s.kubectl("create", "deployment", way, "--image", "web:v1", "--replicas", "0")
		s.kubectl("patch", "deployment", way, "-p", `{"spec":{"replicas":1,"template":{"spec":{`+spec+`}}}}`)
	}
	for way := range ways {
		s.kubectl("rollout", "status", "deployment/"+way)
	}
}

// An optional object that is deleted counts as an edit, and so does one that comes: pods that run without it are replaced.
func TestStaleSeesWhatIsGoneOrComes(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"configmap", "secret"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			create := func() {
				what := map[string][]string{"configmap": {"configmap"}, "secret": {"secret", "generic"}}[kind]
				s.kubectl(append(append([]string{"create"}, what...), "settings", "--from-literal=color=hush-now")...)
			}
			create()
			s.inALaterSecond()
			s.takes(optionally(kind))
			s.plugin("restart", "--stale").ends(0, "stdout: "+kind+"/settings runs everywhere as it is\n")
			s.kubectl("delete", kind, "settings")
			p := s.plugin("config", "affected", kind+"/settings")
			p.ends(0, kind+"/settings is not there: whose pods started with it", "deployment/env         restart", "deployment/envfrom     restart",
				"deployment/files       live", "deployment/projected   live", "deployment/subpath     restart")
			s.plugin("restart", "--stale", "--keep-live", "--steps", "100%").ends(0, "deployment.apps/env rolled out (revision 3)",
				"deployment.apps/envfrom rolled out (revision 3)", "deployment.apps/subpath rolled out (revision 3)")
			s.plugin("restart", "--config", kind+"/settings", "--steps", "100%").ends(0, "deployment.apps/files rolled out (revision 3)",
				"deployment.apps/projected rolled out (revision 3)")
			s.plugin("restart", "--stale").ends(0, "stdout: "+kind+"/settings is not there, and no pod has to be replaced for that\n")
			create()
			p = s.plugin("restart", "--stale", "--steps", "100%")
			p.ends(0, "deployment.apps/env rolled out (revision 4)", "deployment.apps/files rolled out (revision 4)")
			if strings.Contains(p.output(), "hush") {
				t.Errorf("a value is told:\n%s", p.output())
			}
			s.kubectl("delete", kind, "settings") // they run with versions of it by now
			s.plugin("restart", "--stale").ends(0, kind+"/settings is not there, and no pod has to be replaced for that")
		})
	}
}

// A key that was removed leaves no time, and an object that is made anew may be as it was.
func TestStaleSeesARemovedKey(t *testing.T) {
	s := newSpace(t)
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue", "--from-literal=motd=hi")
	s.inALaterSecond()
	ways := optionally("configmap")
	s.takes(map[string]string{"env": ways["env"], "envfrom": ways["envfrom"]})
	config := s.client.CoreV1().ConfigMaps(s.name)
	remove := func(key string) {
		_, err := config.Patch(t.Context(), "settings", types.JSONPatchType, []byte(`[{"op":"remove","path":"/data/`+key+`"}]`), metav1.PatchOptions{})
		must(t, err)
	}
	s.kubectl("label", "configmap", "settings", "some=label")
	s.kubectl("label", "configmap", "settings", "some-")
	s.plugin("restart", "--stale").ends(0, "configmap/settings runs everywhere as it is")
	remove("motd")
	p := s.plugin("restart", "--stale", "--dry-run=server").ends(0, "deployment.apps/envfrom rolled out (server dry run)")
	if strings.Contains(p.output(), "deployment.apps/env rolled out") {
		t.Errorf("who sees no difference is rolled out:\n%s", p.output())
	}
	remove("color")
	s.plugin("restart", "--stale", "--in-place", "--steps", "100%").ends(0, "deployment.apps/env rolled out", "deployment.apps/envfrom rolled out")
	s.plugin("restart", "--stale").ends(0, "configmap/settings runs everywhere as it is")
}

// What is made anew as it was is no reason for a restart while the API server can tell.
func TestStaleSeesWhatWasMadeAnew(t *testing.T) {
	s := newSpace(t)
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	s.inALaterSecond()
	s.takes(map[string]string{"envfrom": optionally("configmap")["envfrom"]})
	s.inALaterSecond()
	for _, made := range [][]string{
		{"blue", "configmap/settings runs everywhere as it is"}, {"red", "deployment.apps/envfrom rolled out (revision 3)"},
	} {
		s.kubectl("delete", "configmap", "settings")
		s.kubectl("create", "configmap", "settings", "--from-literal=color="+made[0])
		s.plugin("restart", "--stale", "--steps", "100%").ends(0, made[1])
	}
}

// Nothing is restarted on a guess, and whose pods cannot do without an object is told.
func TestStaleTellsWhatItCannotKnow(t *testing.T) {
	s := newSpace(t)
	s.takes(map[string]string{"envfrom": optionally("configmap")["envfrom"]})
	want := "configmap/settings is left as it is: it cannot tell what pods of deployment/envfrom started with, since it is not there, and may have been then; " +
		"to start them anew, run 'kubectl rollout-plus restart deployment/envfrom -n " + s.name + "'"
	for _, args := range [][]string{{"--stale"}, {"--config", "settings"}} {
		s.plugin(append([]string{"restart"}, args...)...).ends(0, "stdout: "+want+"\n")
	}
	s.plugin("config", "affected", "settings").ends(0, "deployment/envfrom   unsupported   it cannot be told: ")
	p := s.watching()
	p.tells(want)
	p.stopped()
	s.plugin("restart", "--config", "nix").ends(1, `there is no configmap "nix"`)
	s.kubectl("create", "secret", "generic", "login", "--from-literal=token=hush-now")
	s.takes(map[string]string{"needs": `"containers":[{"name":"web","envFrom":[{"secretRef":{"name":"login"}}]}]`})
	s.kubectl("delete", "secret", "login")
	s.plugin("restart", "--stale").ends(0, "stdout: "+want+"\n", "warning: ", "new pods of deployment/needs could not start", "secret/login does not exist")
	s.plugin("restart", "--config", "secret/login").ends(1, "new pods of deployment/needs could not start", "secret/login does not exist")
	p = s.watching("secret/login")
	p.tells("new pods of deployment/needs could not start")
	s.kubectl("create", "secret", "generic", "login", "--from-literal=token=hush-newer")
	p.tells("deployment.apps/needs rolled out (revision 3)")
	p.stopped()
}

// A watch sees the deletion itself, what comes of it, and that what was deleted comes again.
func TestWatchRollsOutADeletion(t *testing.T) {
	s := newSpace(t)
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	s.takes(map[string]string{"envfrom": optionally("configmap")["envfrom"]})
	p := s.watching("--in-place")
	s.kubectl("delete", "configmap", "settings")
	p.tells("deployment.apps/envfrom rolled out (revision 3)")
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	p.tells("deployment.apps/envfrom rolled out (revision 4)")
	s.kubectl("delete", "configmap", "settings")
	p.tells("deployment.apps/envfrom rolled out (revision 5)")
	p.stopped()
	p = s.watching("settings", "--in-place") // which waits for it to come
	p.tells("configmap/settings is not there, and no pod has to be replaced for that")
	s.kubectl("create", "configmap", "settings", "--from-literal=color=red")
	p.tells("deployment.apps/envfrom rolled out (revision 6)")
	p.stopped()
	s.plugin("history", "deployment/envfrom", "-o", "wide").ends(0, " settings:absent ")
	s.plugin("diff", "deployment/envfrom").ends(1, "configmap/settings not in revision 5", "+color: red")
	s.plugin("undo", "deployment/envfrom", "--wait").ends(0, "configmap/settings was not there in that revision; it stays as it is, and pods start with it")
}

// A deletion whose rollout fails is taken back: the object is there again, with its labels.
func TestWatchTakesADeletionBack(t *testing.T) {
	s := newSpace(t)
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	s.kubectl("label", "configmap", "settings", "some=label")
	s.takes(map[string]string{"envfrom": optionally("configmap")["envfrom"]})
	s.kubectl("patch", "deployment", "envfrom", "-p", `{"spec":{"progressDeadlineSeconds":5,"strategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}}`)
	s.kubectl("rollout", "status", "deployment/envfrom")
	p := s.watching("--skip-checks")
	s.limit("1")
	s.kubectl("delete", "configmap", "settings")
	p.tells("configmap/settings is there again, with what it held before it was deleted")
	p.tells("that edit of configmap/settings is not tried again until it holds another one")
	p.stopped()
	config, err := s.client.CoreV1().ConfigMaps(s.name).Get(t.Context(), "settings", metav1.GetOptions{})
	must(t, err)
	if config.Data["color"] != "blue" || config.Labels["some"] != "label" {
		t.Errorf("settings is %v with the labels %v", config.Data, config.Labels)
	}
}
