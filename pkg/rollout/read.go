package rollout

import (
	"context"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Deployment reads a Deployment.
func (e *Engine) Deployment(ctx context.Context, key types.NamespacedName) (*appsv1.Deployment, error) {
	d, err := e.Client.AppsV1().Deployments(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return nil, explain(ctx, "get", key, err)
	}
	return d, nil
}

// Workload reads a Deployment, StatefulSet or DaemonSet.
func (e *Engine) Workload(ctx context.Context, kind string, key types.NamespacedName) (workload.Object, error) {
	workload, err := kube.Workloads(e.Client, kind, key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil {
		return nil, explainOn(ctx, "get", strings.ToLower(kind), key, err)
	}
	return workload, nil
}
