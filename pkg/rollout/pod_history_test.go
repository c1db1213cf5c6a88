package rollout

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// fleet is a large Deployment in the middle of a rollout: pods that restart, and lose their readiness, now and then.
type fleet struct {
	random       *rand.Rand
	now          time.Time
	older, newer *appsv1.ReplicaSet
	pods         []*corev1.Pod
	made         int
	m            memory
}

// newFleet has old pods of this age.
func newFleet(seed uint64, pods int, age time.Duration) *fleet {
	f := &fleet{random: rand.New(rand.NewPCG(seed, 11)), now: noon(0), older: setFor("a", "web:1", 1, noon(0)), newer: setFor("b", "web:2", 2, noon(0))}
	f.now = f.now.Add(-age)
	for range pods {
		f.pods = append(f.pods, f.make(f.older))
	}
	f.now = noon(0)
	return f
}

func (f *fleet) make(rs *appsv1.ReplicaSet) *corev1.Pod {
	f.made++
	ready := f.now.Add(5 * time.Second)
	pod := podFor(rs, fmt.Sprint("pod-", f.made), &ready)
	pod.CreationTimestamp = metav1.NewTime(f.now)
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "app", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(f.now)}},
	}}
	return pod
}

// restart lets a pod's container end and come up again.
func (f *fleet) restart(at int) {
	pod := f.pods[at].DeepCopy()
	status := &pod.Status.ContainerStatuses[0]
	status.RestartCount++
	status.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: 1, Reason: "Error", StartedAt: status.State.Running.StartedAt, FinishedAt: metav1.NewTime(f.now),
	}}
	status.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(f.now)}
	pod.Status.Conditions[0].LastTransitionTime = metav1.NewTime(f.now)
	f.pods[at] = pod
}

// unready takes a pod's readiness, or gives it back.
func (f *fleet) unready(at int, status corev1.ConditionStatus) {
	pod := f.pods[at].DeepCopy()
	pod.Status.Conditions[0].Status, pod.Status.Conditions[0].LastTransitionTime = status, metav1.NewTime(f.now)
	f.pods[at] = pod
}

func (f *fleet) look() *Finding {
	var finding *Finding
	of := podFindings{workload: diagnose.Object{Kind: "Deployment", Name: "web"}}
	if f.m, finding = f.m.follow(f.pods, belongsTo(f.newer), of, f.now); finding != nil {
		return finding
	}
	return f.m.lost(f.pods, of, f.now)
}

// past gives the old pods what they did before, with so many relapses of a pod in an hour.
func (f *fleet) past(age time.Duration, rate float64) {
	now := f.now
	for at := range f.pods {
		for _, happens := range []func(){func() { f.restart(at) }, func() { f.unready(at, corev1.ConditionTrue) }} {
			if ago := time.Duration(f.random.ExpFloat64() / rate * float64(time.Hour)); rate > 0 && ago < age {
				if f.now = now.Add(-ago); f.now.After(f.pods[at].Status.Conditions[0].LastTransitionTime.Time) {
					happens()
				}
			}
		}
	}
	f.now = now
}

// hold watches the new pods as a hold does.
func (f *fleet) hold() { f.m.restarts = restartsOf(f.pods, belongsTo(f.newer)) }

// roll replaces the pods in so many minutes, with relapses of an old and a new pod in an hour, and returns what is found and when.
func (f *fleet) roll(minutes int, older, newer float64) (*Finding, int) {
	for minute := range minutes {
		f.now = f.now.Add(time.Minute)
		for len(f.pods)*minute/minutes > f.replaced() {
			f.pods[f.replaced()] = f.make(f.newer)
		}
		f.hold()
		for at, pod := range f.pods {
			rate := older
			if workload.OwnedBy(pod, f.newer) {
				rate = newer
			}
			switch p := f.random.Float64() * 60; {
			case !podReady(pod):
				f.unready(at, corev1.ConditionTrue)
			case f.now.Sub(pod.CreationTimestamp.Time) < time.Minute || p > 2*rate:
			case p > rate:
				f.restart(at)
			default:
				f.unready(at, corev1.ConditionFalse)
			}
		}
		if finding := f.look(); finding != nil {
			return finding, minute
		}
	}
	return nil, minutes
}

// replaced is how many pods are new: they take the places from the first one on.
func (f *fleet) replaced() int {
	for at, pod := range f.pods {
		if workload.OwnedBy(pod, f.older) {
			return at
		}
	}
	return len(f.pods)
}

// In a long rollout of many pods, single restarts and losses of readiness do not fail it where the old pods have them as often. Far
// more do, and soon.
func TestRelapsesAreWeighed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		for name, test := range map[string]struct {
			age          time.Duration
			older, newer float64
			within       int
		}{
			"as often":                    {24 * time.Hour, 0.05, 0.05, 0},
			"as seldom":                   {24 * time.Hour, 0.002, 0.002, 0},
			"the old version is young":    {15 * time.Minute, 0.05, 0.05, 0},
			"less often":                  {24 * time.Hour, 0.05, 0.02, 0},
			"eight times as often":        {24 * time.Hour, 0.05, 0.4, 90},
			"every few minutes":           {24 * time.Hour, 0.05, 10, 15},
			"the old ones have none":      {24 * time.Hour, 0, 0.1, 60},
			"none, and every few minutes": {time.Minute, 0, 10, 15},
		} {
			f := newFleet(seed, 600, test.age)
			f.past(test.age, test.older)
			finding, minute := f.roll(240, test.older, test.newer)
			if (finding != nil) != (test.within > 0) || finding != nil && minute > test.within {
				t.Errorf("%s, seed %d: %v after %d minutes", name, seed, finding, minute)
			}
		}
	}
}

// A few pods that crash are found at the first crash, whatever the old ones did while they came up.
func TestFewPodsThatCrash(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := newFleet(0, rapid.IntRange(1, 6).Draw(t, "pods"), time.Duration(rapid.IntRange(0, 100000).Draw(t, "age"))*time.Second)
		if rapid.Bool().Draw(t, "the old ones crashed too as they came up") {
			now := f.now
			f.now = f.pods[0].CreationTimestamp.Add(time.Second)
			f.restart(0)
			f.now = now
		}
		f.look()
		f.pods[0] = f.make(f.newer)
		f.now = f.now.Add(6 * time.Second)
		if f.look() != nil {
			t.Fatal("found before anything happened")
		}
		inHold := rapid.Bool().Draw(t, "in a hold")
		if inHold {
			f.hold()
		}
		f.now = f.now.Add(time.Duration(rapid.IntRange(1, 1200).Draw(t, "ran")) * time.Second)
		loses := inHold && rapid.Bool().Draw(t, "loses its readiness")
		want := diagnose.RestartedAfterReady
		if loses {
			want = diagnose.ReadinessLost
			f.unready(0, corev1.ConditionFalse)
		} else {
			f.restart(0)
		}
		if finding := f.look(); finding == nil || finding.ID != want {
			t.Fatalf("found %v, want %s", finding, want)
		}
	})
}

// What old pods did is known after they are gone, and what is found says it.
func TestTheOldPodsAreRemembered(t *testing.T) {
	t.Parallel()
	f := newFleet(2, 100, 48*time.Hour)
	f.look()
	for at := range 5 {
		f.restart(at)
	}
	f.look()
	before := f.m.tally(false, false, f.now)
	if before.Count != 5 || before.Hours < 4700 {
		t.Fatalf("the old version has %s", before)
	}
	for at := range f.pods {
		f.pods[at] = f.make(f.newer)
	}
	f.now = f.now.Add(time.Minute)
	f.look()
	f.now = f.now.Add(time.Hour)
	if after := f.m.tally(false, false, f.now); after.Count != 5 || after.Hours > before.Hours+2 {
		t.Errorf("the old version has %s, before that it had %s", after, before)
	}
	for at := range 30 {
		f.restart(at)
	}
	finding := f.look()
	if finding == nil || !strings.Contains(strings.Join(finding.Evidence, "\n"), "restarts of new pods: 30 in ") {
		t.Errorf("found %+v", finding)
	}
}

// A pod that is not ready for long after it was ready is weighed as well.
func TestALongLossOfReadinessIsWeighed(t *testing.T) {
	t.Parallel()
	for name, most := range map[string]int{"one of many": 600, "one of few": 4} {
		f := newFleet(3, most, 48*time.Hour)
		f.look()
		for at := range f.pods {
			f.pods[at] = f.make(f.newer)
		}
		f.now = f.now.Add(time.Hour)
		f.look()
		f.unready(0, corev1.ConditionFalse)
		f.pods[0].Status.ContainerStatuses[0].Ready = false
		f.pods[0].Spec.Containers = []corev1.Container{{Name: "app", ReadinessProbe: &corev1.Probe{}}}
		f.look()
		f.now = f.now.Add(10 * time.Minute)
		in := &diagnose.Input{Pods: f.pods, Now: f.now, Workload: diagnose.Object{Kind: "Deployment", Name: "web"}}
		f.m.recall(in)
		in.Seen = diagnose.Seen{{UID: types.UID(f.pods[0].Name), Container: "app", ID: diagnose.ReadinessProbeFailed}: f.now.Add(-10 * time.Minute)}
		report := diagnose.Diagnose(in)
		if fatal := report.Fatal(); (fatal != nil) != (most == 4) || len(report.Findings) == 0 {
			t.Errorf("%s: %+v", name, report.Findings)
		}
	}
}
