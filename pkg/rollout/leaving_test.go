package rollout

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Somebody else goes back in the very moment: the revision before the one that there is then is the broken one.
func TestGoingBackIsRefusedWhereSomebodyElseHas(t *testing.T) {
	for name, revision := range map[string]int64{"to the one before": 0, "to a revision": 1} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				wantOutcome(t, b.start(t.Context(), t), Done, "")
				gone := false
				b.change(func() {
					b.refuse = func(request *http.Request) error {
						if request.Method == http.MethodPatch && strings.HasSuffix(request.URL.Path, "/deployments/"+worldName) && !gone {
							gone = true
							b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Template.Spec.Containers[0].Image = "web:1" })
						}
						return nil
					}
				})
				result, err := b.engine.Start(t.Context(), "Deployment", worldKey, Change{ToRevision: &revision}, inSteps)
				switch {
				case !gone:
					t.Fatal("nothing was tried")
				case revision == 0 && !errors.Is(err, ErrOvertaken):
					t.Errorf("got %v, %+v", err, result)
				case revision != 0 && (err == nil || errors.Is(err, ErrOvertaken)):
					// Where the other's rollout is under way, or the revision has another number by now, that is said.
					t.Errorf("got %v, %+v", err, result)
				}
				b.change(func() {
					if got := imageOfTemplate(b.d); got != "web:1" || b.d.Annotations[Annotation] != "" {
						t.Errorf("the Deployment runs %s, annotations %v", got, b.d.Annotations)
					}
				})
			})
		})
	}
}

// What is to be left is what the command saw when it began, however long it takes until it goes back.
func TestGoingBackFromATemplateThatIsGone(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		first := b.d.Spec.Template.DeepCopy()
		wantOutcome(t, b.start(t.Context(), t), Done, "")
		before := len(b.writes)
		change := Change{ToRevision: ptr.To[int64](0), Leaving: first}
		if _, err := b.engine.Start(t.Context(), "Deployment", worldKey, change, inSteps); !errors.Is(err, ErrOvertaken) {
			t.Errorf("got %v", err)
		}
		if len(b.writes) != before {
			t.Errorf("writes %v", b.writes[before:])
		}
		change.Leaving = b.d.Spec.Template.DeepCopy()
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, change, inSteps)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Done, "")
		b.wantWhole(t, "web:1")
	})
}

// A revision that is gone back to brings its own cause with it, where that is asked for.
func TestTheCauseOfARevisionComesBack(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for _, test := range []struct {
			change Change
			want   string
		}{
			{Change{Images: newImage.Images, Cause: "two"}, "two"},
			{Change{ToRevision: ptr.To[int64](0), OwnCause: true}, ""},
			{Change{ToRevision: ptr.To[int64](0), OwnCause: true}, "two"},
			{Change{ToRevision: ptr.To[int64](0), Cause: "because"}, "because"},
			{Change{ToRevision: ptr.To[int64](0)}, ""},
		} {
			result, err := b.engine.Start(t.Context(), "Deployment", worldKey, test.change, inSteps)
			if err != nil {
				t.Fatal(err)
			}
			wantOutcome(t, result, Done, "")
			b.change(func() {
				if got := b.d.Annotations[workload.ChangeCauseAnnotation]; got != test.want {
					t.Errorf("the cause is %q, not %q", got, test.want)
				}
			})
		}
	})
}
