//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// watched is a web with the key color of the ConfigMap settings, which has motd, too.
func watched(t *testing.T, edits ...edit) *web {
	t.Helper()
	w := newWeb(t, append([]edit{replicas(2)}, edits...)...)
	w.kubectl("create", "configmap", "settings", "--from-literal=color=blue", "--from-literal=motd=hi")
	w.plugin("config", "attach", "deployment/web", "--env-from-config-key", "COLOR=settings:color", "--steps", "100%").ends(0)
	return w
}

// settings changes keys of the ConfigMap settings as somebody else would.
func (s *space) settings(data map[string]string) {
	s.Helper()
	body, err := json.Marshal(map[string]any{"data": data})
	must(s.TB, err)
	_, err = s.client.CoreV1().ConfigMaps(s.name).Patch(s.Context(), "settings", types.MergePatchType, body, metav1.PatchOptions{FieldManager: "somebody"})
	must(s.TB, err)
}

func (s *space) recolor(is string) { s.Helper(); s.settings(map[string]string{"color": is}) }

// runsWith expects that the pods of web run with this color, and that this took so many rollouts.
func (w *web) runsWith(color string, revision string) {
	w.Helper()
	d := w.get()
	name := d.Spec.Template.Spec.Containers[0].Env[0].ValueFrom.ConfigMapKeyRef.Name
	config, err := w.client.CoreV1().ConfigMaps(w.name).Get(w.Context(), name, metav1.GetOptions{})
	must(w.TB, err)
	if config.Data["color"] != color || d.Annotations["deployment.kubernetes.io/revision"] != revision {
		w.Errorf("web runs with %s, which has color %s, as revision %s", name, config.Data["color"], d.Annotations["deployment.kubernetes.io/revision"])
	}
}

// leaks tells whether a value of the Secret is told, as it is or as base64.
func leaks(told string) bool {
	return strings.Contains(told, "hush") || strings.Contains(told, "aHVza")
}

// watching begins to watch.
func (s *space) watching(args ...string) *process {
	s.Helper()
	p := s.plugin(append([]string{"config", "watch", "--steps", "100%", "--debounce", "500ms"}, args...)...)
	p.tells("Ctrl-C ends it")
	return p
}

// stopped ends a watch between rollouts.
func (p *process) stopped() {
	p.t.Helper()
	p.signal(syscall.SIGINT)
	p.ends(0, "Watching ends; no rollout was under way.")
}

func TestWatchRollsOutWhatAnEditTouches(t *testing.T) {
	w := newSpace(t)
	w.kubectl("create", "configmap", "settings", "--from-literal=color=blue", "--from-literal=motd=hi")
	w.kubectl("create", "secret", "generic", "login", "--from-literal=token=hush-now")
	for name, flag := range map[string]string{"web": "COLOR=settings:color", "greeter": "MOTD=settings:motd", "door": "TOKEN=secret/login:token"} {
		w.plugin("create", "deployment", name, "--image", "web:v1", "--env-from-config-key", flag, "--wait").ends(0)
	}
	// Nobody has ever recorded what this one runs with; its pods are watched from now on.
	w.kubectl("create", "deployment", "plain", "--image", "web:v1")
	w.kubectl("set", "env", "deployment/plain", "--from=configmap/settings", "--keys=color")
	w.kubectl("rollout", "status", "deployment/plain")
	p := w.watching()
	w.recolor("red")
	p.tells("deployment.apps/plain rolled out (revision 3)")
	p.tells("deployment.apps/web rolled out (revision 2)")
	w.kubectl("patch", "secret", "login", "-p", `{"stringData":{"token":"hush-newer"}}`)
	p.tells("deployment.apps/door rolled out (revision 2)")
	w.settings(map[string]string{"motd": "hello"})
	p.tells("deployment.apps/greeter rolled out (revision 2)")
	w.recolor("green")
	p.tells("deployment.apps/plain rolled out (revision 4)")
	p.tells("deployment.apps/web rolled out (revision 3)")
	p.stopped()
	if told := p.output(); strings.Count(told, " rolled out (revision ") != 6 || leaks(told) {
		t.Errorf("not what was edited, or more than that:\n%s", told)
	}
}

// What was edited while nobody watched is caught up with, without a restart too many.
func TestWatchCatchesUp(t *testing.T) {
	w := watched(t)
	w.recolor("red")
	w.recolor("blue")
	p := w.watching()
	p.tells("configmap/settings runs everywhere as it is")
	p.stopped()
	w.runsWith("blue", "2")
	w.recolor("green")
	p = w.watching("settings")
	p.tells("deployment.apps/web rolled out (revision 3)")
	p.stopped()
	w.runsWith("green", "3")
	p = w.watching("cm/settings")
	p.tells("configmap/settings runs everywhere as it is")
	p.signal(syscall.SIGTERM)
	p.ends(0, "Watching ends")
	w.runsWith("green", "3")
}

// So is what was edited of objects that nobody has ever recorded: those are taken whose pods were started before the edit, and
// no others. The second watch has nothing to do.
func TestWatchCatchesUpWithTheUnrecorded(t *testing.T) {
	for name, args := range map[string][]string{"named": {"settings", "secret/login"}, "all": nil} {
		t.Run(name, func(t *testing.T) {
			w := newSpace(t)
			w.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
			w.kubectl("create", "secret", "generic", "login", "--from-literal=token=hush-now")
			w.kubectl("create", "configmap", "calm", "--from-literal=a=b")
			from := map[string]string{"before": "configmap/settings", "after": "configmap/settings", "door": "secret/login", "calm": "configmap/calm"}
			started := func(deployment string) {
				w.kubectl("create", "deployment", deployment, "--image", "web:v1", "--replicas", "0")
				w.kubectl("set", "env", "deployment/"+deployment, "--from="+from[deployment])
				w.kubectl("scale", "deployment/"+deployment, "--replicas", "1")
				w.kubectl("rollout", "status", "deployment/"+deployment)
			}
			for _, deployment := range []string{"before", "door", "calm"} {
				started(deployment)
			}
			w.recolor("red")
			w.kubectl("patch", "secret", "login", "-p", `{"stringData":{"token":"hush-newer"}}`)
			w.inALaterSecond()
			started("after")
			for round, tells := range [][]string{
				{"deployment.apps/before rolled out (revision 3)", "deployment.apps/door rolled out (revision 3)"},
				{"configmap/settings runs everywhere as it is", "secret/login runs everywhere as it is"}, // both have versions by now
			} {
				p := w.watching(args...)
				for _, text := range tells {
					p.tells(text)
				}
				p.stopped()
				if told := p.output(); strings.Count(told, " rolled out (revision ") != 2*(1-round) || leaks(told) {
					t.Errorf("round %d: not what was edited, or more than that:\n%s", round, told)
				}
			}
			revisions := w.kubectl("get", "deployments", "-o", `jsonpath={range .items[*]}{.metadata.name}:{.metadata.annotations.deployment\.kubernetes\.io/revision} {end}`)
			if want := "after:2 before:3 calm:2 door:3 "; revisions != want {
				t.Errorf("the revisions are %q, not %q", revisions, want)
			}
		})
	}
}

// inALaterSecond waits until what starts now has started after all that has happened so far: times have full seconds.
func (s *space) inALaterSecond() {
	s.Helper()
	var first, last metav1.Time
	now := func() metav1.Time {
		made, err := s.client.CoreV1().ConfigMaps(s.name).Create(s.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "now"}},
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		must(s.TB, err)
		return made.CreationTimestamp
	}
	first = now()
	s.until(func() bool { last = now(); return first.Before(&last) }, func() string { return "it is still " + last.String() })
}

// Many edits make one rollout: those that come soon after one another, and those that come during a rollout.
func TestWatchWaitsForTheEndOfABurst(t *testing.T) {
	w := watched(t, func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Image = "web:slow"
		d.Spec.Template.Annotations = map[string]string{"test.rollout-plus/delay": "2s"}
	})
	p := w.watching("settings", "--debounce", "5s")
	for _, color := range []string{"1", "2", "3", "4", "5", "6"} {
		w.recolor(color)
	}
	p.tells("step 1/1: to 2 new pods")
	for _, color := range []string{"7", "8", "9"} {
		w.recolor(color)
	}
	p.tells("deployment.apps/web rolled out (revision 3)")
	p.tells("deployment.apps/web rolled out (revision 4)")
	// Forth and back is none.
	w.recolor("10")
	w.recolor("9")
	w.settings(map[string]string{"motd": "hello"})
	p.tells("configmap/settings runs everywhere as it is")
	p.stopped()
	w.runsWith("9", "4")
}

// A broken edit is taken back, said, and not tried again; the next good one is rolled out.
func TestWatchGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"--pin", "--in-place"} {
		t.Run(mode, func(t *testing.T) {
			w := watched(t, strategy("1", "0"), progressDeadline(10))
			if mode == "--in-place" { // the pods run with what settings itself holds
				w.kubectl("set", "env", "deployment/web", "COLOR-")
				w.kubectl("set", "env", "deployment/web", "--from=configmap/settings", "--keys=color")
				w.kubectl("rollout", "status", "deployment/web")
			}
			p := w.watching("settings", mode, "--skip-checks")
			w.limit("2")
			w.recolor("broken")
			p.tells("that edit of configmap/settings is not tried again until it holds another one")
			w.await("the old pods are all there is", func(m *snapshot) bool { return m.complete() })
			config, err := w.client.CoreV1().ConfigMaps(w.name).Get(t.Context(), "settings", metav1.GetOptions{})
			must(t, err)
			if config.Data["color"] != "blue" {
				t.Errorf("settings holds %v", config.Data)
			}
			w.limit("5")
			w.settings(map[string]string{"color": "broken", "motd": "hello"})
			p.tells("deployment.apps/web rolled out (revision ")
			p.stopped()
		})
	}
}

// Edits of two objects that fail together are taken back together. Made again alone, the good one is rolled out.
func TestWatchTakesBackWhatFailedTogether(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"--pin", "--in-place"} {
		t.Run(mode, func(t *testing.T) {
			w := watched(t, strategy("1", "0"), progressDeadline(10))
			w.kubectl("create", "configmap", "extras", "--from-literal=size=big")
			w.plugin("config", "attach", "deployment/web", "--env-from-config-key", "SIZE=extras:size", "--steps", "100%").ends(0)
			if mode == "--in-place" { // the pods run with what the objects themselves hold
				w.kubectl("set", "env", "deployment/web", "COLOR-", "SIZE-")
				w.kubectl("set", "env", "deployment/web", "--from=configmap/settings", "--keys=color")
				w.kubectl("set", "env", "deployment/web", "--from=configmap/extras", "--keys=size")
				w.kubectl("rollout", "status", "deployment/web")
			}
			p := w.watching(mode, "--debounce", "5s", "--skip-checks")
			w.limit("2")
			w.recolor("red")
			_, err := w.client.CoreV1().ConfigMaps(w.name).Patch(t.Context(), "extras", types.MergePatchType, []byte(`{"data":{"size":"broken"}}`), metav1.PatchOptions{})
			must(t, err)
			p.tells("these edits of configmap/extras, configmap/settings are not tried together again")
			w.await("the old pods are all there is", func(m *snapshot) bool { return m.complete() })
			for name, want := range map[string]string{"settings": "blue", "extras": "big"} {
				config, err := w.client.CoreV1().ConfigMaps(w.name).Get(t.Context(), name, metav1.GetOptions{})
				must(t, err)
				if config.Data["color"]+config.Data["size"] != want {
					t.Errorf("%s holds %v", name, config.Data)
				}
			}
			w.limit("5")
			w.recolor("red")
			p.tells("deployment.apps/web rolled out (revision ")
			p.stopped()
		})
	}
}

// An edit that would keep pods from starting is refused, and tells when it is gone.
func TestWatchRefusesWhatCannotStart(t *testing.T) {
	w := watched(t)
	p := w.watching()
	body := []byte(`{"data":{"color":null}}`)
	_, err := w.client.CoreV1().ConfigMaps(w.name).Patch(t.Context(), "settings", types.MergePatchType, body, metav1.PatchOptions{})
	must(t, err)
	p.tells("nothing was written, since new pods of deployment/web could not start")
	p.tells("Watching goes on; configmap/settings is looked at again in 5s")
	w.recolor("red")
	p.tells("deployment.apps/web rolled out (revision 3)")
	p.stopped()
	w.runsWith("red", "3")
}

// limit bounds how many pods there may be.
func (s *space) limit(pods string) {
	s.Helper()
	quotas := s.client.CoreV1().ResourceQuotas(s.name)
	// A patch, since the quota controller writes the status meanwhile.
	_, err := quotas.Patch(s.Context(), "pods", types.MergePatchType, fmt.Appendf(nil, `{"spec":{"hard":{"pods":%q}}}`, pods), metav1.PatchOptions{})
	if apierrors.IsNotFound(err) {
		_, err = quotas.Create(s.Context(), &corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Name: "pods"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse(pods)}},
		}, metav1.CreateOptions{})
	}
	must(s.TB, err)
}

// Whatever becomes of the connection, an edit is not missed.
func TestWatchSurvivesALostConnection(t *testing.T) {
	w := watched(t)
	c := w.lay()
	p := w.watching()
	c.sever(true)
	c.sever(false)
	w.recolor("red")
	p.tells("deployment.apps/web rolled out (revision 3)")
	c.sever(true)
	p.tells("no connection to the API server")
	w.recolor("green")
	c.sever(false)
	p.tells("deployment.apps/web rolled out (revision 4)")
	p.tells("the connection to the API server is back")
	p.stopped()
	w.runsWith("green", "4")
}

// A rollout that is under way when the watch is ended stands still, as with other commands.
func TestWatchInterruptedInARollout(t *testing.T) {
	w := watched(t, strategy("1", "0"))
	p := w.watching("--skip-checks")
	w.limit("2")
	w.recolor("red")
	p.tells("step 1/1: to 2 new pods")
	w.await("it is open", func(m *snapshot) bool { return m.step() == 1 })
	p.signal(syscall.SIGINT)
	p.ends(130, "stands still at step 1 of 1", "'kubectl rollout-plus resume deployment/web -n "+w.name+"'", "configmap/settings stays changed")
	w.limit("5")
	w.plugin("resume", "deployment/web").ends(0)
	w.runsWith("red", "3")
}
