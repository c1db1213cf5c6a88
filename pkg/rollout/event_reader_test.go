package rollout

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// eventOf is an event of a pod.
func eventOf(pod *corev1.Pod, reason, message string, at time.Time) *corev1.Event {
	return &corev1.Event{
		InvolvedObject: corev1.ObjectReference{UID: pod.UID}, Reason: reason, Message: message,
		FirstTimestamp: metav1.NewTime(at), LastTimestamp: metav1.NewTime(at),
	}
}

// A pod that no node has room for may get one later than the grace, where its events tell that one is being added, be it
// only shortly before the grace ends; and where events cannot be read nobody knows that none is.
func TestANodeThatIsBeingAddedIsWaitedForWhileDriving(t *testing.T) {
	for name, test := range map[string]struct {
		told   time.Duration
		events error
		want   Outcome
	}{
		"at once":                   {time.Second, nil, Done},
		"late":                      {50 * time.Second, nil, Done},
		"never":                     {time.Hour, nil, RolledBack},
		"without the right to know": {time.Hour, forbidden(), Done},
		"without an answer":         {time.Hour, apierrors.NewInternalError(errors.New("no")), Done},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() {
					b.refuse = func(r *http.Request) error {
						if test.events != nil && strings.HasSuffix(r.URL.Path, "/events") {
							return test.events
						}
						return nil
					}
					b.shape = func(pod *corev1.Pod) {
						b.shape = nil // the others get a node at once
						since := metav1.NewTime(b.now.Truncate(time.Second))
						pod.Spec.NodeName, pod.CreationTimestamp = "", since
						pod.Status.Conditions = []corev1.PodCondition{{
							Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, LastTransitionTime: since,
							Message: "0/3 nodes are available: 3 Insufficient cpu.",
						}}
						time.AfterFunc(test.told, func() {
							b.change(func() { b.told = append(b.told, eventOf(pod, "TriggeredScaleUp", "pod triggered scale-up", b.now)) })
						})
						time.AfterFunc(100*time.Second, func() {
							b.change(func() {
								scheduled := pod.DeepCopy()
								scheduled.Spec.NodeName, scheduled.Status.Conditions = "new", nil
								b.storePod(pod.UID, scheduled)
							})
						})
					}
				})
				wantOutcome(t, b.start(t.Context(), t), test.want, "")
			})
		})
	}
}

// listener is a session that looks four times a second at ten pods of which only events tell.
type listener struct {
	*driver
	api *apiServer
}

func newListener(t *testing.T) *listener {
	t.Helper()
	w := newWorld(10, settingsWith(intstr.FromInt32(1), intstr.FromInt32(0), 0))
	api := &apiServer{world: w}
	client, err := api.client()
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{driver: newDriver(w, client), api: api}
	l.open()
	for _, pod := range w.pods {
		l.change(pod.UID, func(pod *corev1.Pod) {
			pod.CreationTimestamp = metav1.NewTime(w.now)
			pod.Status = corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{waits("ContainerCreating", "")}}
		})
	}
	return l
}

func (l *listener) change(uid types.UID, do func(pod *corev1.Pod)) {
	for _, pod := range l.w.pods {
		if pod.UID == uid {
			next := pod.DeepCopy()
			do(next)
			l.w.storePod(uid, next)
		}
	}
	l.refreshAll()
}

// tell makes an event of a pod.
func (l *listener) tell(pod *corev1.Pod, reason, message string) {
	l.api.told = append(l.api.told, eventOf(pod, reason, message, l.w.now))
}

// listen lets time pass, and gives what has been heard then.
func (l *listener) listen(t *testing.T, d time.Duration) []*corev1.Event {
	t.Helper()
	var heard []*corev1.Event
	for until := l.w.now.Add(d); l.w.now.Before(until); {
		l.w.now = l.w.now.Add(time.Second / 4)
		l.clock.SetTime(l.w.now)
		for i := range l.api.told {
			l.api.told[i].LastTimestamp = metav1.NewTime(l.w.now) // the kubelet tries again and again
		}
		heard = l.s.listen(t.Context())
		snapshot := l.s.snapshot()
		snapshot.Events = heard
		l.s.memory, _ = l.s.memory.failure(&snapshot, l.w.d.Spec.ProgressDeadlineSeconds, l.w.now)
		l.s.alert(&snapshot, await{})
	}
	return heard
}

const noVolume = `MountVolume.SetUp failed for volume "v": no such device`

// One pod speaks for all that are alike, it is always the same, and it is asked ever less often; yet what it said last is
// not from long before a verdict.
func TestOnePodSpeaksForThoseAlike(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	for _, pod := range l.w.pods {
		l.tell(pod, "FailedMount", noVolume)
	}
	if l.listen(t, 16*time.Second); len(l.api.asked) == 0 || len(l.api.asked) > 4 {
		t.Errorf("asked %v in 16 s", l.api.asked)
	}
	l.listen(t, time.Minute)
	if first := l.api.asked[0]; slices.ContainsFunc(l.api.asked, func(uid types.UID) bool { return uid != first }) {
		t.Errorf("asked %v", l.api.asked)
	}
	asked := len(l.api.asked)
	if asked > 6 {
		t.Errorf("asked %d times in 76 s", asked)
	}
	if l.listen(t, 13*time.Second); len(l.api.asked) != asked+1 {
		t.Errorf("asked %d times before the grace of 90 s is over", len(l.api.asked)-asked)
	}
}

// Of pods that are seen to go on others are asked, at the same pace: one of them may be stuck.
func TestOthersAreAskedWhereOneGoesOn(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	stuck := slices.MaxFunc(l.w.pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	for _, pod := range l.w.pods {
		if pod != stuck {
			l.tell(pod, "Pulling", "")
		}
	}
	l.tell(stuck, "FailedMount", noVolume)
	heard := l.listen(t, 22*time.Second)
	if !slices.ContainsFunc(heard, func(e *corev1.Event) bool { return e.InvolvedObject.UID == stuck.UID }) {
		t.Error("the pod that is stuck has not been asked")
	}
	if len(l.api.asked) > 11 {
		t.Errorf("asked %v", l.api.asked)
	}
}

// A pod that has changed is asked soon, whatever it said before.
func TestAPodThatHasChangedIsAskedSoon(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	for _, pod := range l.w.pods {
		l.tell(pod, "FailedMount", noVolume)
	}
	l.listen(t, 50*time.Second)
	asked, uid := len(l.api.asked), l.api.asked[0]
	l.change(uid, func(pod *corev1.Pod) { pod.Annotations = map[string]string{"changed": "yes"} })
	if l.listen(t, time.Second); len(l.api.asked) != asked+1 {
		t.Errorf("asked %d times", len(l.api.asked)-asked)
	}
}

// A pod that has its volumes and its network is left alone while its images are pulled, until that takes long enough for a
// word: what is told then is what its events told shortly before.
func TestAPodThatDoesNotGoOnIsAsked(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	for _, pod := range l.w.pods {
		l.change(pod.UID, func(pod *corev1.Pod) {
			pod.Status.Conditions = []corev1.PodCondition{{
				Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(l.w.now),
			}}
		})
		l.tell(pod, "FailedCreatePodContainer", "no such thing")
	}
	if l.listen(t, 117*time.Second); len(l.api.asked) != 0 {
		t.Errorf("asked %v too early", l.api.asked)
	}
	if heard := l.listen(t, 3*time.Second); len(l.api.asked) != 1 || len(heard) != 1 {
		t.Errorf("asked %v, heard %d", l.api.asked, len(heard))
	}
	if l.listen(t, time.Minute); len(l.api.asked) != 3 {
		t.Errorf("asked %d times in another minute", len(l.api.asked)-1)
	}
}

// A pod that is ending is asked once whether its hooks fail, and the next when it is gone.
func TestPodsThatAreEndingAreAskedOnce(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	ends := metav1.NewTime(l.w.now.Add(30 * time.Second))
	for i, pod := range slices.SortedFunc(slices.Values(l.w.pods), func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) }) {
		l.tell(pod, "FailedPreStopHook", "PreStopHook failed")
		l.change(pod.UID, func(pod *corev1.Pod) {
			since := metav1.NewTime(l.w.now)
			pod.Status.ContainerStatuses, pod.Status.Conditions = nil, []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: since}}
			pod.Spec.Containers = []corev1.Container{{Name: "app", Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{}}}}
			if i < 2 {
				pod.DeletionTimestamp, pod.DeletionGracePeriodSeconds = &ends, new(int64(30))
			}
		})
	}
	if heard := l.listen(t, 20*time.Second); len(l.api.asked) != 1 || len(heard) != 1 {
		t.Errorf("asked %v, heard %d", l.api.asked, len(heard))
	}
	l.w.storePod(l.api.asked[0], nil)
	l.refreshAll()
	if l.listen(t, 5*time.Second); len(l.api.asked) != 2 || l.api.asked[0] == l.api.asked[1] {
		t.Errorf("asked %v", l.api.asked)
	}
}
