//go:build e2e

package e2e

import (
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// configured gives the container a variable from the ConfigMap settings, by its plain name.
func configured(d *appsv1.Deployment) {
	d.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "COLOR", ValueFrom: &corev1.EnvVarSource{
		ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}, Key: "color"},
	}}}
}

// takingTime has pods that take a moment to become ready, so that there is time to end the plugin.
func takingTime(d *appsv1.Deployment) {
	delay("4s")(d)
	d.Spec.Template.Spec.Containers[0].Image = "web:slow"
}

// reference is what the template takes its color from, with what it notes of that in place.
func (w *web) reference() string {
	template := &w.get().Spec.Template
	return template.Spec.Containers[0].Env[0].ValueFrom.ConfigMapKeyRef.Name + " " + template.Annotations["rollout-plus/configmap.settings"]
}

// modes are the two ways in which a template gets a version, with what it names then.
var modes = map[string]struct {
	flag string
	name func(version string) string
}{
	"pinned":   {"--pin", func(version string) string { return version + " " }},
	"in place": {"--in-place", func(version string) string { return "settings " + version }},
}

// standing has a rollout stand at its first step for as long as a test takes.
var standing = []string{"--hold", "1h"}

// changing begins to change the color, and ends the plugin with kill -9 as soon as the rollout is open.
func (w *web) changing(flag string, more ...string) {
	w.Helper()
	p := w.plugin(append([]string{"config", "set", "settings", "color=red", "--yes", flag, "--steps", "1"}, more...)...)
	p.tells("deployment.apps/web: 3 replicas")
	w.await("the rollout is open", func(m *snapshot) bool { return m.step() >= 1 })
	p.signal(syscall.SIGKILL)
	p.code()
	w.expectColor(w.TB, "red")
}

func newConfigured(t *testing.T, edits ...edit) *web {
	t.Helper()
	s := newSpace(t)
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	return s.deploy(append([]edit{configured, takingTime}, edits...)...)
}

// Nothing of a change of configuration is lost with the command that makes it: who goes on does so with the new one.
func TestKilledConfigSetGoesOn(t *testing.T) {
	t.Parallel()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			w := newConfigured(t)
			w.changing(mode.flag)
			w.plugin("resume", "deployment/web").ends(0, "deployment.apps/web rolled out (revision 2)")
			w.expectColor(t, "red")
			if got, want := w.reference(), mode.name(w.versionOfConfig("color=red")); got != want {
				t.Errorf("the template names %q, not %q", got, want)
			}
			w.runs("web:slow")
			w.plugin("restart", "--config", "settings").ends(0, "configmap/settings runs everywhere as it is")
			// What was kept for the way back belongs to the revision that was left, and to nothing else.
			before := w.versionOfConfig("color=blue")
			if owners := w.kubectl("get", "configmap", before, "-o", "jsonpath={.metadata.ownerReferences[*].kind}"); owners != "ReplicaSet" {
				t.Errorf("%s is owned by %q", before, owners)
			}
			w.plugin("undo", "deployment/web", "--wait").ends(0, "configmap/settings holds again what was kept for that revision ("+before+")")
			w.expectColor(t, "blue")
		})
	}
}

// Who goes back gives the object what it held, though no version of that was ever rolled out.
func TestAbortGivesConfigurationBack(t *testing.T) {
	t.Parallel()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			w := newConfigured(t)
			w.changing(mode.flag, standing...)
			w.plugin("abort", "deployment/web").ends(0, "configmap/settings holds again what it held before the change")
			w.expectColor(t, "blue")
			if got := w.reference(); got != "settings " {
				t.Errorf("the template names %q", got)
			}
			w.runs("web:slow")
		})
	}
	t.Run("undo", func(t *testing.T) {
		w := newConfigured(t)
		w.changing("--pin", standing...)
		w.plugin("undo", "deployment/web", "--wait").ends(0, "configmap/settings holds again what it held before the change")
		w.expectColor(t, "blue")
	})
	t.Run("kept", func(t *testing.T) {
		w := newConfigured(t)
		w.changing("--pin", standing...)
		w.plugin("undo", "deployment/web", "--keep-config").ends(0)
		w.expectColor(t, "red")
	})
	t.Run("changed since", func(t *testing.T) {
		w := newConfigured(t)
		w.changing("--pin", standing...)
		w.kubectl("patch", "configmap", "settings", "-p", `{"data":{"color":"by hand"}}`)
		p := w.plugin("abort", "deployment/web")
		p.ends(0, "configmap/settings was changed once more, and stays as it is; configmap/"+w.versionOfConfig("color=blue")+" has what it held before")
		w.expectColor(t, "by hand")
	})
	t.Run("without the right", func(t *testing.T) {
		w := newConfigured(t)
		w.changing("--pin", standing...)
		w.kubectl("create", "role", "dev", "--verb=get,list,watch,patch", "--resource=deployments.apps,replicasets.apps,pods")
		w.kubectl("create", "rolebinding", "dev", "--role=dev", "--user=dev")
		w.plugin("abort", "deployment/web", "--as", "dev").ends(0, "warning: ", "configmap/settings stays changed", `the right to get configmaps in namespace "`+w.name+`" is missing`)
		w.expectColor(t, "red")
	})
}

// Whoever takes it back, what config set would have restored is restored.
func TestResumedConfigSetThatFails(t *testing.T) {
	t.Parallel()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			w := newConfigured(t)
			w.breaks(w.versionOfConfig("color=red"))
			w.changing(mode.flag)
			w.plugin("resume", "deployment/web").ends(5, "CrashLoopBackOff", "configmap/settings holds again what it held before the change")
			w.expectColor(t, "blue")
			if got := w.reference(); got != "settings " {
				t.Errorf("the template names %q", got)
			}
		})
	}
	t.Run("taken back by others", func(t *testing.T) {
		w := newConfigured(t)
		w.changing("--pin", standing...)
		w.kubectl("rollout", "undo", "deployment/web")
		w.plugin("resume", "deployment/web").ends(5, "configmap/settings holds again what it held before the change")
		w.expectColor(t, "blue")
		w.runs("web:slow")
	})
}

// Of several workloads, those are named that have the change already, or that were to have it.
func TestKilledConfigSetOfSeveral(t *testing.T) {
	w := newConfigured(t)
	w.kubectl("create", "deployment", "before", "--image=web:v1")
	w.kubectl("set", "env", "deployment/before", "--from=configmap/settings")
	w.kubectl("create", "deployment", "without", "--image=web:v1")
	w.kubectl("set", "env", "deployment/without", "--from=configmap/settings")
	w.kubectl("create", "deployment", "zenith", "--image=web:v1")
	w.kubectl("set", "env", "deployment/zenith", "--from=configmap/settings")
	for _, name := range []string{"before", "without", "zenith"} {
		w.kubectl("rollout", "status", "deployment/"+name)
	}
	w.changing("--pin")
	restart := "'kubectl rollout-plus restart --config configmap/settings -n " + w.name + "'"
	w.plugin("resume", "deployment/web").ends(0, "the change of configmap/settings is for deployment/without, deployment/zenith too; "+restart+" rolls that out")
	w.plugin("config", "set", "settings", "color=blue", "--yes", "--pin").ends(0)
	w.changing("--pin")
	w.plugin("abort", "deployment/web").ends(0, "configmap/settings holds again", "deployment/before took the change before; "+restart+" brings back what took it")
	p := w.plugin("restart", "--config", "settings").ends(0, "deployment.apps/before rolled out")
	if strings.Contains(p.out.String(), "web rolled out") || strings.Contains(p.out.String(), "zenith rolled out") {
		t.Errorf("more than what took the change is rolled out\n%s", p.output())
	}
	w.expectColor(t, "blue")
}

// The command that changes the configuration and somebody who aborts its rollout do not get in each other's way.
func TestAbortUnderConfigSet(t *testing.T) {
	w := newConfigured(t)
	p := w.plugin("config", "set", "settings", "color=red", "--yes", "--pin", "--steps", "1", "--hold", "1h")
	w.await("the rollout is open", func(m *snapshot) bool { return m.step() >= 1 })
	w.plugin("abort", "deployment/web").ends(0)
	p.ends(5, "configmap/settings and all that references it are as they were")
	w.expectColor(t, "blue")
	w.runs("web:slow")
}
