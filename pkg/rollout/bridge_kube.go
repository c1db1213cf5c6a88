package rollout

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	moved "github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
)

// replicaSets stands for moved.ReplicaSets.
func replicaSets(ctx context.Context, client kubernetes.Interface, d *appsv1.Deployment) ([]*appsv1.ReplicaSet, error) {
	return moved.ReplicaSets(ctx, client, d)
}

// controllerRevisions stands for moved.ControllerRevisions.
func controllerRevisions(ctx context.Context, client kubernetes.Interface, of Workload) ([]*appsv1.ControllerRevision, error) {
	return moved.ControllerRevisions(ctx, client, of)
}

// retryAfter stands for moved.RetryAfter.
const retryAfter = moved.RetryAfter

// PauseForConflict stands for moved.PauseForConflict.
func PauseForConflict(ctx context.Context, c clock.Clock, try int) error {
	return moved.PauseForConflict(ctx, c, try)
}

// afterRefusal stands for moved.AfterRefusal.
func afterRefusal(err error) time.Duration { return moved.AfterRefusal(err) }

// answered stands for moved.Answered.
func answered(err error) error { return moved.Answered(err) }

// isTransient stands for moved.IsTransient.
func isTransient(err error) bool { return moved.IsTransient(err) }

// IsCredentialError stands for moved.IsCredentialError.
func IsCredentialError(err error) bool { return moved.IsCredentialError(err) }

// lacksRight stands for moved.LacksRight.
func lacksRight(verb string, err error) bool { return moved.LacksRight(verb, err) }

// getRaw stands for moved.GetRaw.
func getRaw(ctx context.Context, client kubernetes.Interface, resource, namespace, name string) (*unstructured.Unstructured, error) {
	return moved.GetRaw(ctx, client, resource, namespace, name)
}
