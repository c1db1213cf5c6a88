package rollout

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// othersWorld is a StatefulSet or DaemonSet with a model of its controller, and of nodes that take their time.
type othersWorld struct {
	random *rand.Rand
	now    time.Time
	set    bool // else a DaemonSet
	// size is how many pods there are to be, kept the StatefulSet's own partition, native how many its controller lets be missing,
	// and broken how many were at the beginning.
	size, kept, limit, native, broken int32
	minReady                          int32
	record                            *Record
	// pods are by ordinal or node; nil where there is none.
	pods map[int32]*corev1.Pod
	made int
	// silent are the places whose nodes say nothing, for as long as anything else can go on.
	silent map[int32]bool
	// shaky are pods that crash before they are ready, and once more soon after that; the value is how often they have so far.
	shaky map[types.UID]int32
	// views are what a client with a view that is behind may see.
	views []othersView
}

type othersView struct {
	pods, ending []*corev1.Pod
	record       Record
}

func (w *othersWorld) pod(place int32, isNew bool) *corev1.Pod {
	w.made++
	hash := "old"
	if isNew {
		hash = "new"
	}
	if isNew && w.random.IntN(4) == 0 {
		w.shaky[types.UID(fmt.Sprint("pod-", w.made))] = 0
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("web-%d", place), UID: types.UID(fmt.Sprint("pod-", w.made)), Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: hash},
			OwnerReferences: []metav1.OwnerReference{{UID: "web", Controller: ptr.To(true)}}, ResourceVersion: fmt.Sprint(w.made),
		},
		Spec: corev1.PodSpec{NodeName: fmt.Sprint("node-", place)},
	}
}

func ready(pod *corev1.Pod, since time.Time) *corev1.Pod {
	pod = pod.DeepCopy()
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(since)}}
	return pod
}

func (w *othersWorld) isNew(pod *corev1.Pod) bool {
	return pod.Labels[appsv1.ControllerRevisionHashLabelKey] == "new"
}

func (w *othersWorld) available() (count int32) {
	for _, pod := range w.pods {
		if is, since := workload.ReadySince(pod); is && pod.DeletionTimestamp == nil && (w.minReady == 0 || !since.Add(time.Duration(w.minReady)*time.Second).After(w.now)) {
			count++
		}
	}
	return count
}

func (w *othersWorld) newPods() (count int32) {
	for _, pod := range w.pods {
		if w.isNew(pod) {
			count++
		}
	}
	return count
}

// control is what the controller does in one round: it makes pods that are missing and, of a StatefulSet, replaces those at and
// above the partition, as many at once as its strategy lets it.
func (w *othersWorld) control() {
	for place := w.size - 1; place >= 0; place-- {
		if w.pods[place] == nil && w.random.IntN(2) == 0 {
			w.pods[place] = w.pod(place, !w.set || place >= *w.record.Update.Partition)
		}
	}
	if !w.set {
		return
	}
	for place := w.size - 1; place >= *w.record.Update.Partition; place-- {
		if pod := w.pods[place]; pod != nil && !w.isNew(pod) && w.size-w.available() < w.native {
			delete(w.pods, place)
		}
	}
}

// work is what the nodes do.
func (w *othersWorld) work() {
	for place := range w.size {
		pod := w.pods[place]
		if pod == nil || w.silent[place] || w.random.IntN(3) > 0 {
			continue
		}
		if pod.DeletionTimestamp != nil {
			delete(w.pods, place)
			continue
		}
		is, since := workload.ReadySince(pod)
		crashes, shaky := w.shaky[pod.UID]
		switch soon := w.now.Sub(since) < 4*time.Second; { // views may be six seconds old
		case !is:
			w.pods[place] = ready(pod, w.now)
			if shaky {
				w.shaky[pod.UID]++
				w.pods[place].Status.ContainerStatuses = []corev1.ContainerStatus{again(w.now, crashes+1)}
			}
		case shaky && crashes == 1 && soon:
			w.pods[place] = pod.DeepCopy()
			w.pods[place].Status.Conditions[0].Status = corev1.ConditionFalse
		}
	}
	w.now = w.now.Add(time.Duration(w.random.IntN(3)) * time.Second)
}

// again is a container that was started anew just now, after it had run for two seconds.
func again(now time.Time, restarts int32) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name: "app", RestartCount: restarts, Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now)}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: 2, Reason: "Error", StartedAt: metav1.NewTime(now.Add(-3 * time.Second)), FinishedAt: metav1.NewTime(now.Add(-time.Second)),
		}},
	}
}

func (w *othersWorld) workload() workload.Object {
	if w.set {
		return &appsv1.StatefulSet{
			ObjectMeta: metav1.ObjectMeta{UID: "web", Name: "web"},
			Spec: appsv1.StatefulSetSpec{
				Replicas: &w.size, MinReadySeconds: w.minReady, PodManagementPolicy: appsv1.ParallelPodManagement,
				UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
					Type: appsv1.RollingUpdateStatefulSetStrategyType, RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: w.record.Update.Partition},
				},
			},
		}
	}
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{UID: "web", Name: "web"},
		Spec:       appsv1.DaemonSetSpec{MinReadySeconds: w.minReady, UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType}},
		Status:     appsv1.DaemonSetStatus{DesiredNumberScheduled: w.size},
	}
}

// driver is one process that drives the rollout, with what it alone knows.
type othersDriver struct {
	memory  memory
	deleted map[types.UID]bool
	seen    int
}

// drive decides by what the process sees, which may be behind, and writes where nobody has written since.
func (w *othersWorld) drive(t *testing.T, d *othersDriver) (done bool) {
	t.Helper()
	d.seen = max(d.seen, len(w.views)-1-w.random.IntN(3))
	seen := w.views[d.seen]
	record := seen.record
	now := &Snapshot{Workload: w.workload(), Pods: seen.pods, Gone: seen.ending, deleted: d.deleted, Newest: &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{Name: "new", Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: "new"}}, Revision: 2,
	}}
	if set, is := now.Workload.(*appsv1.StatefulSet); is {
		set.Spec.UpdateStrategy.RollingUpdate.Partition = record.Update.Partition
	}
	var next action
	next, d.memory = decide(unjudged{gateOf(now.Workload), nil}, now, &record, d.memory, w.now)
	same := func() bool { a, _ := record.encode(); b, _ := w.record.encode(); return a == b }
	switch a := next.(type) {
	case move:
		if same() {
			record, err := gateOf(now.Workload).opened(now.Workload, w.record, a)
			if err != nil {
				t.Fatal(err)
			}
			w.record = record
		}
	case replace:
		for _, pod := range a.pods {
			if d.deleted[pod.UID] = true; w.random.IntN(8) == 0 {
				return false // killed in the midst of it
			}
			for place, there := range w.pods {
				switch {
				case there.UID != pod.UID:
				case w.silent[place]:
					if !w.record.Last() {
						t.Fatalf("pod %s is deleted in mid-step, though its node is silent", pod.Name)
					}
					w.end(place)
				case w.random.IntN(2) == 0:
					w.end(place) // it takes its time to end, and its place is taken after that
				default:
					delete(w.pods, place)
				}
			}
		}
	case finish:
		return same()
	case await:
	default:
		t.Fatalf("%T: %+v", next, next)
	}
	return false
}

// end tells a pod to end.
func (w *othersWorld) end(place int32) {
	w.pods[place] = w.pods[place].DeepCopy()
	w.pods[place].DeletionTimestamp = &metav1.Time{Time: w.now}
}

func (w *othersWorld) look() {
	pods := make([]*corev1.Pod, 0, len(w.pods))
	var ending []*corev1.Pod
	for _, pod := range w.pods {
		if pod.DeletionTimestamp != nil {
			ending = append(ending, pod)
		} else {
			pods = append(pods, pod)
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int {
		return len(a.Name)*1000 - len(b.Name)*1000 + int(a.Name[len(a.Name)-1]) - int(b.Name[len(b.Name)-1])
	})
	w.views = append(w.views, othersView{pods: pods, ending: ending, record: *w.record})
}

// silence lets some nodes fall silent.
func (w *othersWorld) silence() {
	if w.silent = map[int32]bool{}; w.set || w.random.IntN(3) > 0 {
		return
	}
	for place := range w.size {
		if w.silent[place] = w.random.IntN(4) == 0; w.silent[place] {
			since := metav1.NewTime(w.now.Add(-time.Minute))
			w.pods[place].Status.Conditions = []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: since},
				{Type: corev1.ContainersReady, Status: corev1.ConditionTrue, LastTransitionTime: since},
			}
		}
	}
}

// wake lets silent nodes report again once no other pod can be replaced: all that have not fallen silent are new, or no pod
// may be missing besides those that are.
func (w *othersWorld) wake() {
	var old, silent int32
	for place, pod := range w.pods {
		if !w.isNew(pod) && !w.silent[place] {
			old++
		}
		if w.silent[place] {
			silent++
		}
	}
	if silent == 0 || old > 0 && silent < w.limit {
		return
	}
	for place := range w.size {
		if pod := w.pods[place]; w.silent[place] && pod != nil && pod.DeletionTimestamp != nil {
			delete(w.pods, place)
		}
	}
	w.silent = map[int32]bool{}
}

func newOthersWorld(random *rand.Rand, set bool) *othersWorld {
	w := &othersWorld{
		random: random, set: set, now: noon(0), size: 1 + random.Int32N(20), limit: 1 + random.Int32N(4), minReady: random.Int32N(3), pods: map[int32]*corev1.Pod{},
		shaky: map[types.UID]int32{},
	}
	if set && random.IntN(3) == 0 {
		w.kept = random.Int32N(w.size)
	}
	for place := range w.size {
		if w.pods[place] = w.pod(place, false); random.IntN(10) > 0 {
			w.pods[place] = ready(w.pods[place], w.now.Add(-time.Hour))
		}
	}
	w.silence()
	w.broken = w.size - w.available()
	w.native = w.limit
	own := appsv1.StatefulSetUpdateStrategy{
		Type:          appsv1.RollingUpdateStatefulSetStrategyType,
		RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: &w.kept, MaxUnavailable: ptr.To(intstr.FromInt32(w.limit))},
	}
	strategy, _ := json.Marshal(own) //nolint:errchkjson // a test's own
	steps := plan.Steps{intstr.FromInt32(1 + random.Int32N(3)), intstr.FromString("50%"), everything()}
	if random.IntN(3) == 0 {
		steps = plan.DefaultSteps()
	}
	w.record = &Record{
		ToRevision: 2, Step: 1, Update: &Update{Strategy: strategy},
		Plan: plan.Plan{Steps: steps, Limits: plan.Limits{Unavailable: intstr.FromInt32(w.limit)}, OnFailure: plan.OnFailureRollback},
	}
	if set {
		if w.record.Update.Paced = random.IntN(2) == 0; w.record.Update.Paced {
			w.native += random.Int32N(5)
		}
		w.record.Update.Partition = ptr.To(w.size) // as it is before anything may go
	}
	return w
}

// However slow the pods, however stale the views of one or two drivers, and wherever these are killed: no more pods are missing
// than the limits allow, no more are new than the step asks for, and the rollout comes to its end.
func TestOthersKeepTheirLimits(t *testing.T) {
	t.Parallel()
	for seed := range uint64(600) {
		for _, set := range []bool{true, false} {
			w := newOthersWorld(rand.New(rand.NewPCG(seed, 7)), set)
			drivers := []*othersDriver{{deleted: map[types.UID]bool{}}, {deleted: map[types.UID]bool{}}}
			done := false
			for round := 0; !done; round++ {
				if round > 5000 {
					t.Fatalf("seed %d, StatefulSet %t: no end: step %d, %d of %d new", seed, set, w.record.Step, w.newPods(), w.size)
				}
				for range 1 + w.random.IntN(3) {
					w.look()
					switch w.random.IntN(4) {
					case 0:
						w.control()
					case 1:
						w.work()
						if round%100 == 99 {
							w.wake()
						}
					case 2:
						which := w.random.IntN(len(drivers))
						if w.random.IntN(40) == 0 { // killed, and another one takes over with what there is
							drivers[which] = &othersDriver{deleted: map[types.UID]bool{}, seen: len(w.views) - 1}
						}
						done = w.drive(t, drivers[which]) || done
					}
					if missing := w.size - w.available(); missing > max(w.limit, w.broken) {
						t.Fatalf("seed %d, StatefulSet %t: %d of %d pods are missing, %d may", seed, set, missing, w.size, w.limit)
					}
					steps, of := w.record.Target(max(w.size-w.kept, 0)), w.newPods()
					if of > steps {
						t.Fatalf("seed %d, StatefulSet %t: %d pods are new in a step of %d", seed, set, of, steps)
					}
				}
			}
			if of := w.newPods(); of != max(w.size-w.kept, 0) {
				t.Errorf("seed %d, StatefulSet %t: it ended with %d of %d new pods", seed, set, of, w.size-w.kept)
			}
		}
	}
}
