package rollout

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// A Deployment may have no deadline for good, which is no reason to ask for more rights than kubectl.
func TestWhetherARolloutIsOpenWithoutTheRightToListReplicaSets(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(d *appsv1.Deployment)
		nothing bool
	}{
		"nothing borrowed":  {func(*appsv1.Deployment) {}, true},
		"no deadline":       {func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = new(int32(GateProgressDeadlineSeconds)) }, true},
		"a gate":            {func(d *appsv1.Deployment) { d.Spec.MinReadySeconds = GateMinReadySeconds }, false},
		"a record of sorts": {func(d *appsv1.Deployment) { d.Annotations = map[string]string{Annotation: "{}"} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() {
					b.away, b.d = true, b.d.DeepCopy()
					test.change(b.d)
					b.refuse = func(request *http.Request) error {
						if !strings.HasSuffix(request.URL.Path, "/replicasets") {
							return nil
						}
						return apierrors.NewForbidden(appsv1.Resource("replicasets"), "", errors.New("no"))
					}
				})
				if err := b.engine.Opened(t.Context(), worldKey); errors.Is(err, ErrNoRollout) != test.nothing || apierrors.IsForbidden(err) == test.nothing {
					t.Errorf("%v", err)
				}
			})
		})
	}
}
