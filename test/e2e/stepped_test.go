//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// stepped is a StatefulSet or DaemonSet named web whose pods have a variable from the ConfigMap settings.
type stepped struct {
	*recorder
	*space

	short, object string
	// pods are how many it has, and floor how many of them the limits want to be ready.
	pods, floor int
}

// steppedKinds are what the tests of this file are about: three pods of ten may be missing, or one of six.
func steppedKinds(t *testing.T, test func(t *testing.T, w *stepped)) {
	t.Parallel()
	for _, kind := range []string{"StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			test(t, newStepped(t, kind))
		})
	}
}

func newStepped(t *testing.T, kind string) *stepped {
	t.Helper()
	s := newSpace(t)
	w := &stepped{space: s, short: "sts", object: "statefulset/web", pods: 6, floor: 5}
	manifest := strings.Replace(configuredNative(kind), "replicas: 2", "replicas: 6", 1)
	if kind == "DaemonSet" {
		w.short, w.object, w.pods, w.floor = "ds", "daemonset/web", 10, 7
		manifest = strings.Replace(manifest, "maxUnavailable: 100%", "maxUnavailable: 30%", 1)
	}
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	s.kubectl("create", "-f", s.write(s.dir(), "web.yaml", manifest))
	s.kubectl("rollout", "status", w.object)
	w.recorder = s.record()
	return w
}

// set begins to set the color.
func (w *stepped) set(color string, flags ...string) *process {
	w.Helper()
	return w.plugin(append([]string{"config", "set", "settings", "color=" + color, "--yes", "--pin"}, flags...)...)
}

// referenced is the ConfigMap that a pod has its variable from.
func referenced(pod *corev1.Pod) string {
	for _, v := range pod.Spec.Containers[0].Env {
		if v.ValueFrom != nil && v.ValueFrom.ConfigMapKeyRef != nil {
			return v.ValueFrom.ConfigMapKeyRef.Name
		}
	}
	return ""
}

// count counts the pods that are there and ready, in all and of this color.
func (w *stepped) count(m *snapshot, version string) (ready, of int) {
	for _, pod := range m.pods {
		if pod.DeletionTimestamp != nil || !isReady(pod) {
			continue
		}
		ready++
		if referenced(pod) == version {
			of++
		}
	}
	return ready, of
}

// stands waits until so many pods are of this color, and all are ready.
func (w *stepped) stands(color string, count int) {
	w.Helper()
	version := w.versionOfConfig("color=" + color)
	w.await(fmt.Sprintf("%d of %d pods are %s", count, w.pods, color), func(m *snapshot) bool {
		ready, of := w.count(m, version)
		return ready == w.pods && of == count
	})
}

// keeps expects the floor to have been kept at every moment.
func (w *stepped) keeps() {
	w.Helper()
	full := false
	w.replay(func(_, after *snapshot) {
		ready, _ := w.count(after, "")
		full = full || ready == w.pods
		floor := w.floor
		if after.rollsByItself() {
			floor -= w.pods - w.floor
		}
		if full && ready < floor {
			w.Errorf("%d pods were ready at one moment, the floor is %d", ready, floor)
			full = false // once is enough
		}
	})
}

// rollsByItself reports whether a DaemonSet's own controller replaces its pods. It waits until it has seen as
// many deletions as it asked for, and takes every further change of a pod that is ending for another one (updatePod in its
// daemon_controller.go): it may delete as many pods too many as it has yet to see go. kubectl set env alone shows that, once in some
// sixty updates of ten pods on a busy machine.
func (m *snapshot) rollsByItself() bool {
	for _, set := range m.daemonSets {
		if set.Spec.UpdateStrategy.Type == appsv1.RollingUpdateDaemonSetStrategyType {
			return true
		}
	}
	return false
}

// strategy is the update strategy, and the rollout's record.
func (w *stepped) strategy() string {
	w.Helper()
	return w.kubectl("get", w.object, "-o", `jsonpath={.spec.updateStrategy} {.metadata.annotations.rollout-plus/rollout}`)
}

// holding begins to set the color and waits until the first step, of so many pods, is held.
func (w *stepped) holding(color string, count int) *process {
	w.Helper()
	p := w.set(color, "--steps", fmt.Sprint(count), "--hold", "1h")
	p.tells("ready, watched for 1h0m0s")
	w.stands(color, count)
	return p
}

func TestConfigSetInSteps(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		before := w.strategy()
		p := w.set("red", "--steps", "1,3").ends(0, "step 1/3: to 1 new pod", "step 2/3: to 3 new pods", fmt.Sprintf("step 3/3: to %d new pods", w.pods),
			"web rolled out (revision 2)", fmt.Sprintf("(floor %d), highest total %d (ceiling %d)", w.floor, w.pods, w.pods))
		if text := p.output(); strings.Contains(text, "its controller replaces") {
			w.Errorf("it was not rolled out in steps:\n%s", text)
		}
		w.stands("red", w.pods)
		w.keeps()
		if after := w.strategy(); after != before {
			w.Errorf("it is left with %s, not %s", after, before)
		}
		// No step has more new pods than it asks for.
		version, most := w.versionOfConfig("color=red"), map[int]bool{}
		w.replay(func(_, after *snapshot) {
			if ready, of := w.count(after, version); ready == w.pods {
				most[of] = true
			}
		})
		if !most[1] || !most[3] {
			w.Errorf("steps 1 and 3 were never reached with all pods ready: %v", most)
		}
	})
}

// A rollout stands wherever its driver is killed, and abort goes back from there, with the configuration.
func TestAbortOfKilledConfigSetInSteps(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		before := w.strategy()
		p := w.holding("red", 2)
		p.signal(syscall.SIGKILL)
		p.code()
		held := w.strategy()
		w.plugin("status", w.object, "--watch=false", "--exit-code").ends(7, "step 1 of 2: 2 of 2 new pods ready")
		w.plugin("restart", w.object).ends(1, "a stepwise rollout of "+strings.Replace(w.object, "/", ` "`, 1)+`" is under way`)
		w.set("green").ends(1, "is already under way (step 1 of 2)", "goes on", "goes back")
		if now := w.strategy(); now != held {
			w.Errorf("it did not stand still: %s, then %s", held, now)
		}
		w.stands("red", 2)
		w.plugin("abort", w.object).ends(0, "rolled back", "configmap/settings holds again what it held before the change")
		w.expectColor(w.space, "blue")
		if after := w.strategy(); after != before {
			w.Errorf("it is left with %s, not %s", after, before)
		}
		w.plugin("status", w.object).ends(0)
		w.keeps()
	})
}

// Whoever goes on from any moment comes to the same end.
func TestResumeOfKilledConfigSetInSteps(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		before := w.strategy()
		p := w.set("red", "--steps", "1,2,3,4")
		for round := range 12 {
			if p.tells("step "); round%2 == 0 {
				w.more(1+round, p.done)
			}
			_ = p.cmd.Process.Kill() // unless it has ended by itself
			p.code()
			if strings.HasSuffix(w.strategy(), "} ") { // it is at its end, or has not begun
				break
			}
			p = w.plugin("resume", w.object)
		}
		w.plugin("resume", w.object).code()
		w.plugin("restart", "--config", "settings").ends(0)
		w.stands("red", w.pods)
		w.keeps()
		if after := w.strategy(); after != before {
			w.Errorf("it is left with %s, not %s", after, before)
		}
	})
}

// A rollout that is held is nobody's until it is resumed.
func TestPauseOfConfigSetInSteps(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		p := w.set("red", "--steps", "2", "--hold", "10s")
		p.tells("ready, watched for 10s")
		w.plugin("pause", w.object).ends(0, "web paused")
		p.ends(6, "the rollout is held at its step", "stands still at step 1 of 2")
		w.plugin("pause", w.object).ends(1, "is already paused")
		w.plugin("status", w.object, "--watch=false").ends(6, fmt.Sprintf("step 1 of 2: 2 of 2 new pods ready, %d old", w.pods-2))
		w.plugin("explain", w.object).ends(4, "a rollout is open at step 1 of 2, where somebody holds it")
		w.stands("red", 2)
		w.plugin("resume", w.object).ends(0, "web rolled out")
		w.stands("red", w.pods)
		w.keeps()
	})
}

// undo of an open rollout is its abort.
func TestUndoOfConfigSetInSteps(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		before := w.strategy()
		p := w.holding("red", 1)
		p.signal(syscall.SIGINT)
		p.ends(130, "stands still at step 1 of 2")
		w.plugin("undo", w.object, "--wait").ends(0, "web rolled back", "configmap/settings holds again what it held before the change")
		w.stands("red", 0)
		w.expectColor(w.space, "blue")
		if after := w.strategy(); after != before {
			w.Errorf("it is left with %s, not %s", after, before)
		}
	})
}

// What fails is left standing where that is asked for.
func TestConfigSetInStepsThatHolds(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		w.breaks(w.versionOfConfig("color=red"))
		w.set("red", "--on-failure", "hold").ends(4, "CrashLoopBackOff", "stands still at step 1 of 4", "abort "+w.object)
		w.plugin("status", w.object).ends(4, "CrashLoopBackOff")
		w.expectColor(w.space, "red")
		w.plugin("abort", w.object).ends(0)
		w.expectColor(w.space, "blue")
		w.stands("red", 0)
		w.keeps()
	})
}

// What others do to an open rollout decides.
func TestOthersInConfigSetInSteps(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		before := w.strategy()
		// The strategy: what holds the step comes back, and whoever insists on another one ends the rollout where it stands.
		p := w.holding("red", 1)
		const theirs = `{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":0,"maxUnavailable":1}}}}`
		w.kubectl("patch", w.object, "-p", theirs)
		p.tells("theirs comes into force when the rollout ends")
		w.kubectl("patch", w.object, "-p", theirs)
		p.ends(4, "the update strategy was changed by kubectl-patch at ", "spec.updateStrategy was written by kubectl-patch at ", "2 times by now",
			"resume "+w.object, "abort "+w.object)
		w.plugin("abort", w.object).ends(0)
		w.stands("red", 0)
		if after := w.strategy(); !strings.HasSuffix(after, "} ") {
			w.Errorf("it is left with %s", after)
		}
		w.kubectl("patch", w.object, "-p", fmt.Sprintf(`{"spec":{"updateStrategy":%s}}`, strings.TrimSpace(before)))
		w.set("red", "--steps", "100%").ends(0)
		// The template: it stands until somebody decides.
		p = w.holding("green", 1)
		w.kubectl("set", "image", w.object, "app=web:v2")
		p.ends(4, "the pod template was changed by kubectl-set during the rollout", "resume "+w.object, "abort "+w.object)
		p = w.plugin("resume", w.object)
		p.tells("ready, watched for 1h0m0s")
		p.signal(syscall.SIGINT)
		p.ends(130)
		w.plugin("abort", w.object).ends(0)
		w.stands("red", w.pods)
		// Back: that is an end, too.
		p = w.holding("green", 1)
		w.kubectl("rollout", "undo", w.object)
		p.ends(5, "rolled back")
		w.stands("red", w.pods)
		w.expectColor(w.space, "red")
	})
}

// A limit that is given is kept though the strategy would let more pods go.
func TestConfigSetInStepsWithLimit(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		if w.short == "sts" {
			w.kubectl("patch", w.object, "-p", `{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":4}}}}`)
		}
		w.set("red", "--max-unavailable", "0").ends(2, "--max-unavailable", "lets no pod")
		w.expectColor(w.space, "blue")
		w.floor = w.pods - 1
		w.set("red", "--max-unavailable", "1", "--steps", "100%").ends(0, fmt.Sprintf("(floor %d)", w.floor))
		w.stands("red", w.pods)
		w.keeps()
	})
}

// A partition of a StatefulSet's own stays what it is, and the pods below it.
func TestConfigSetInStepsAbovePartition(t *testing.T) {
	w := newStepped(t, "StatefulSet")
	w.kubectl("patch", w.object, "-p", `{"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}}}}`)
	before := w.strategy()
	w.set("red", "--steps", "50%").ends(0, "step 1/2: to 2 new pods", "step 2/2: to 4 new pods")
	w.stands("red", 4)
	if after := w.strategy(); after != before {
		t.Errorf("it is left with %s, not %s", after, before)
	}
}

// A DaemonSet whose new pods run beside the old ones is its controller's: to delete a pod would take one away.
func TestConfigSetOfSurgingDaemonSet(t *testing.T) {
	w := newStepped(t, "DaemonSet")
	w.kubectl("patch", w.object, "-p", `{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":0,"maxSurge":2}}}}`)
	w.floor = w.pods
	w.set("red").ends(0, "its controller replaces the pods", "web rolled out")
	w.stands("red", w.pods)
	w.keeps()
}

// Scaled in mid-step, a StatefulSet comes to its end with all pods that it has then.
func TestScalingOfConfigSetInSteps(t *testing.T) {
	w := newStepped(t, "StatefulSet")
	p := w.holding("red", 2)
	w.kubectl("scale", w.object, "--replicas=9")
	w.pods = 9
	w.stands("red", 5) // those that came above the partition are new
	w.kubectl("scale", w.object, "--replicas=5")
	w.pods = 5
	w.stands("red", 2) // of the first two new ones only one is left, and the next is made
	p.signal(syscall.SIGINT)
	p.ends(130)
	w.plugin("abort", w.object).ends(0)
	w.stands("red", 0)
}

// The documented rights are enough, and one that is missing is named before anything is written.
func TestRightsOfConfigSetInSteps(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		grant := func(name, verbs, resources string) {
			w.kubectl("create", "role", name, "--verb="+verbs, "--resource="+resources)
			w.kubectl("create", "rolebinding", name, "--role="+name, "--user=dev")
		}
		grant("workloads", "get,list,watch,patch", "deployments.apps,statefulsets.apps,daemonsets.apps,replicasets.apps")
		grant("revisions", "list", "controllerrevisions.apps")
		grant("pods", "list,watch", "pods")
		grant("configuration", "get,list,create,patch,delete", "configmaps")
		grant("others", "list", "cronjobs.batch,jobs.batch,replicationcontrollers")
		w.granted("list", "batch", "jobs")
		refused := func(right string) {
			w.set("red", "--as", "dev").ends(1, "the right to "+right+" in namespace")
			w.expectColor(w.space, "blue")
			if there, _ := w.versions(); len(there) > 0 {
				w.Errorf("versions were written: %v", there)
			}
		}
		refused("get controllerrevisions")
		grant("back", "get", "controllerrevisions.apps")
		w.granted("get", "apps", "controllerrevisions")
		if w.short == "ds" {
			refused("delete pods")
		} else { // which needs it for nothing but its way back
			w.set("red", "--as", "dev").ends(0, "web rolled out")
		}
		grant("waves", "delete", "pods")
		w.granted("delete", "", "pods")
		w.set("yellow", "--as", "dev").ends(0, "web rolled out")
		w.breaks(w.versionOfConfig("color=green"))
		w.set("green", "--as", "dev").ends(5, "CrashLoopBackOff", "configmap/settings and all that references it are as they were")
	})
}

// granted waits until the API server knows that the user dev has a right.
func (w *stepped) granted(verb, group, kind string) {
	w.Helper()
	w.until(func() bool {
		return w.may("dev", rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{group}, Resources: []string{kind}})
	}, func() string { return fmt.Sprintf("dev has no right to %s %s", verb, kind) })
}

// The way back keeps a limit that was given, too, and leaves the workload's own.
func TestWayBackOfConfigSetInStepsWithLimit(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		w.kubectl("patch", w.object, "-p", `{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":4}}}}`)
		before := w.strategy()
		w.floor = w.pods - 1
		p := w.set("red", "--max-unavailable", "1", "--steps", "4", "--hold", "1h")
		p.tells("ready, watched for 1h0m0s")
		w.stands("red", 4)
		p.signal(syscall.SIGKILL)
		p.code()
		w.plugin("abort", w.object).ends(0, "web rolled back")
		w.stands("red", 0)
		w.keeps()
		if after := w.strategy(); after != before {
			w.Errorf("it is left with %s, not %s", after, before)
		}
	})
}

// A record that somebody removes comes back: without it nobody could give back what is borrowed.
func TestRecordOfConfigSetInStepsThatIsRemoved(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		before := w.strategy()
		p := w.holding("red", 1)
		w.kubectl("annotate", w.object, "rollout-plus/rollout-")
		w.until(func() bool { return !strings.HasSuffix(w.strategy(), "} ") }, func() string { return "the record does not come back" })
		p.signal(syscall.SIGINT)
		p.ends(130, "stands still at step 1 of 2")
		w.plugin("abort", w.object).ends(0)
		if after := w.strategy(); after != before {
			w.Errorf("it is left with %s, not %s", after, before)
		}
	})
}

// Where somebody has gone back while it was held, resume finds that done; where somebody has changed the strategy, the record
// goes.
func TestResumeOfWhatOthersChanged(t *testing.T) {
	steppedKinds(t, func(_ *testing.T, w *stepped) {
		before := w.strategy()
		p := w.holding("red", 1)
		w.plugin("pause", w.object).ends(0)
		p.ends(6)
		w.kubectl("rollout", "undo", w.object)
		w.plugin("resume", w.object).ends(5, "rolled back", "configmap/settings holds again what it held before the change")
		w.stands("red", 0)
		w.expectColor(w.space, "blue")
		if after := w.strategy(); after != before {
			w.Errorf("it is left with %s, not %s", after, before)
		}
		p = w.holding("green", 1)
		w.plugin("pause", w.object).ends(0)
		p.ends(6)
		w.kubectl("patch", w.object, "-p", fmt.Sprintf(`{"spec":{"updateStrategy":%s}}`, strings.TrimSpace(before)))
		w.plugin("resume", w.object).ends(4, "the update strategy that holds the rollout at its step was changed by kubectl-patch")
		w.stands("green", w.pods)
		if after := w.strategy(); after != before {
			w.Errorf("it is left with %s, not %s", after, before)
		}
	})
}
