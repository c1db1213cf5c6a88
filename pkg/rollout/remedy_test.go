package rollout

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// What is to be run next works as things stand then: start begins once the old version is back, and not before, and pods that
// went with the new one can be asked nothing any more.
func TestWhatToRunNextWorks(t *testing.T) {
	const (
		start    = "kubectl rollout-plus start deployment/web -n shop --image app=IMAGE"
		setImage = "kubectl set image deployment/web app=IMAGE -n shop"
		resume   = "kubectl rollout-plus resume deployment/web -n shop"
		undo     = "kubectl rollout-plus undo deployment/web -n shop"
		keep     = "kubectl rollout-plus start deployment/web -n shop --to-revision 2 --on-failure hold"
	)
	for name, test := range map[string]struct {
		reason   string
		hold     bool
		deadline int32
		want     []string
	}{
		"the image, rolled back": {"InvalidImageName", false, 600, []string{start}},
		"the image, held":        {"InvalidImageName", true, 600, []string{setImage, resume}},
		"a pod, rolled back":     {"RunContainerError", false, 600, []string{keep, "kubectl edit deployment/web -n shop"}},
		"stalled, rolled back":   {"", false, 5, []string{keep}},
		"stalled, held":          {"", true, 5, []string{undo}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.stuck = map[types.UID]bool{}
				b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.ProgressDeadlineSeconds = ptr.To(test.deadline) })
				b.shape = func(pod *corev1.Pod) {
					if imageOfTemplate(b.d) != "web:2" {
						return
					}
					b.stuck[pod.UID] = true
					pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(b.now)}}
					pod.Status.ContainerStatuses = []corev1.ContainerStatus{waits(test.reason, "")}
				}
				options := inSteps
				if test.hold {
					options.OnFailure = plan.OnFailureHold
				}
				result, err := b.engine.Start(t.Context(), "Deployment", worldKey, newImage, options)
				if err != nil || result.Finding == nil {
					t.Fatalf("%+v, %v", result, err)
				}
				if !slices.Equal(result.Finding.Remedy, test.want) {
					t.Errorf("%s: got %q, want %q", result.Finding, result.Finding.Remedy, test.want)
				}
			})
		})
	}
}
