package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Resource reads, writes, lists and watches the workloads of one kind in a namespace.
type Resource interface {
	Get(ctx context.Context, name string, options metav1.GetOptions) (workload.Object, error)
	Patch(ctx context.Context, name string, as types.PatchType, body []byte, options metav1.PatchOptions) (workload.Object, error)
	List(ctx context.Context, options metav1.ListOptions) (runtime.Object, error)
	Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
}

// Workloads returns the workloads of a kind in a namespace, or nil if there is no such kind.
func Workloads(client kubernetes.Interface, kind, namespace string) Resource {
	apps := client.AppsV1()
	return map[string]Resource{
		"Deployment":  resourceOf(apps.Deployments(namespace)),
		"StatefulSet": resourceOf(apps.StatefulSets(namespace)),
		"DaemonSet":   resourceOf(apps.DaemonSets(namespace)),
	}[kind]
}

// typedClient is what the typed clients of all kinds have in common.
type typedClient[T workload.Object, L runtime.Object] interface {
	Get(ctx context.Context, name string, options metav1.GetOptions) (T, error)
	Patch(ctx context.Context, name string, as types.PatchType, body []byte, options metav1.PatchOptions, subresources ...string) (T, error)
	List(ctx context.Context, options metav1.ListOptions) (L, error)
	Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
}

func resourceOf[T workload.Object, L runtime.Object](client typedClient[T, L]) Resource {
	return resource[T, L]{client}
}

type resource[T workload.Object, L runtime.Object] struct{ client typedClient[T, L] }

func (r resource[T, L]) Get(ctx context.Context, name string, options metav1.GetOptions) (workload.Object, error) {
	return r.client.Get(ctx, name, options)
}

func (r resource[T, L]) Patch(
	ctx context.Context, name string, as types.PatchType, body []byte, options metav1.PatchOptions,
) (workload.Object, error) {
	return r.client.Patch(ctx, name, as, body, options)
}

func (r resource[T, L]) List(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	return r.client.List(ctx, options)
}

func (r resource[T, L]) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return r.client.Watch(ctx, options)
}
