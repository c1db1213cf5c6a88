package rollout

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// slowly answers some requests late.
type slowly struct {
	http.RoundTripper
	delay func(*http.Request)
}

func (s slowly) RoundTrip(request *http.Request) (*http.Response, error) {
	s.delay(request)
	if err := request.Context().Err(); err != nil {
		return nil, err
	}
	return s.RoundTripper.RoundTrip(request)
}

// delayed lets the engine's requests be answered late.
func (b *bench) delayed(t *testing.T, delay func(*http.Request)) {
	t.Helper()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: "http://world", QPS: -1, Transport: slowly{b.apiServer, delay}})
	if err != nil {
		t.Fatal(err)
	}
	b.engine.Client = client
}

// While events are asked for time passes: what is done then is done by what the pods are like after that.
func TestPodsAreJudgedByWhatTheyAreNow(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var second types.UID
		b.change(func() {
			b.scale(12)
			b.settle()
			b.stuck = map[types.UID]bool{}
			made := 0
			b.shape = func(pod *corev1.Pod) {
				if made++; made == 4 {
					b.shape = nil
				}
				b.stuck[pod.UID] = true
				pod.CreationTimestamp = metav1.NewTime(b.now.Truncate(time.Second))
				if made != 2 { // one of those is asked for its events
					pod.Status.ContainerStatuses = []corev1.ContainerStatus{waits("ContainerCreating", "")}
					return
				}
				second = pod.UID
				time.AfterFunc(900*time.Millisecond, func() { b.change(func() { delete(b.stuck, second); b.serial++ }) })
			}
		})
		var once sync.Once
		b.delayed(t, func(request *http.Request) {
			if !strings.HasSuffix(request.URL.Path, "/events") {
				return
			}
			once.Do(func() {
				<-time.After(2 * time.Second)
				b.change(func() {
					for _, pod := range b.pods {
						if pod.UID == second {
							failed := pod.DeepCopy()
							failed.Status.Conditions[0].Status, b.broken[second] = corev1.ConditionFalse, true
							b.crash(failed)
						}
					}
				})
				<-time.After(time.Second)
			})
		})
		surge := intstr.FromInt32(4)
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, StartOptions{Steps: plan.Steps{everything()}, MaxSurge: &surge, OnFailure: plan.OnFailureRollback})
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, RolledBack, "")
		var writes int
		for _, what := range b.writes {
			if what == "deployments" {
				writes++
			}
		}
		if writes != 3 { // the start, the way back, and its end
			t.Errorf("writes %v", b.writes)
		}
	})
}

// What is read for the report alone holds the way back up for a moment at most: once that is written the pods go, and their
// logs with them.
func TestTheWayBackDoesNotWaitForTheReport(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.breaks = func(rs *appsv1.ReplicaSet) bool { return imageOf(rs) == "web:2" }
		var asked time.Time
		b.delayed(t, func(request *http.Request) {
			if strings.HasSuffix(request.URL.Path, "/events") || strings.HasSuffix(request.URL.Path, "/log") {
				if asked.IsZero() {
					asked = time.Now()
				}
				<-request.Context().Done()
			}
		})
		b.seen = func(event Event) {
			if _, back := event.(RollbackEvent); back && time.Since(asked) > 4*time.Second {
				t.Errorf("%s passed", time.Since(asked))
			}
		}
		result := b.start(t.Context(), t)
		wantOutcome(t, result, RolledBack, "")
		for _, what := range []string{"events", "logs"} {
			if !slices.Contains(result.Finding.Evidence, what+" could not be read: there was no answer in time") {
				t.Errorf("it is not said that %s could not be read: %q", what, result.Finding.Evidence)
			}
		}
	})
}

// However many pods are asked about, one look takes no longer than one answer may.
func TestOneLookIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.shape = func(pod *corev1.Pod) {
			if len(pod.Spec.Containers) == 0 && b.setOf("web:2") != nil {
				pod.CreationTimestamp = metav1.NewTime(b.now.Truncate(time.Second))
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{waits("ContainerCreating", "")}
				pod.Status.ContainerStatuses[0].Name = string(pod.UID) // all in states of their own
				b.stuck[pod.UID] = true
			}
		}
		b.stuck = map[types.UID]bool{}
		var asked time.Time
		b.delayed(t, func(request *http.Request) {
			if strings.HasSuffix(request.URL.Path, "/events") {
				if asked.IsZero() {
					asked = time.Now()
					time.AfterFunc(time.Second, func() {
						b.change(func() {
							gone := b.d
							b.d = nil
							b.send(watch.Deleted, gone)
						})
					})
				}
				<-request.Context().Done()
			}
		})
		surge := intstr.FromInt32(4)
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, StartOptions{Steps: plan.Steps{everything()}, MaxSurge: &surge, OnFailure: plan.OnFailureRollback})
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Deleted, "")
		if took := time.Since(asked); took > logTimeout+time.Second {
			t.Errorf("it took %s to see that the Deployment is gone", took)
		}
	})
}
