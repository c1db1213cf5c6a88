package kube

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// ReplicaSets reads the ReplicaSets that a Deployment controls.
func ReplicaSets(ctx context.Context, client kubernetes.Interface, of workload.Object) ([]*appsv1.ReplicaSet, error) {
	options := metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(workload.SelectorOf(of))}
	list, err := client.AppsV1().ReplicaSets(of.GetNamespace()).List(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("cannot list the ReplicaSets of deployment %q in namespace %q: %w", of.GetName(), of.GetNamespace(), err)
	}
	var sets []*appsv1.ReplicaSet
	for i := range list.Items {
		if metav1.IsControlledBy(&list.Items[i], of) {
			sets = append(sets, &list.Items[i])
		}
	}
	return sets, nil
}

// ControllerRevisions reads the revisions of a StatefulSet or DaemonSet.
func ControllerRevisions(ctx context.Context, client kubernetes.Interface, of workload.Object) ([]*appsv1.ControllerRevision, error) {
	selector := metav1.FormatLabelSelector(workload.SelectorOf(of))
	list, err := client.AppsV1().ControllerRevisions(of.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("cannot list the ControllerRevisions of %q in namespace %q: %w", of.GetName(), of.GetNamespace(), Answered(err))
	}
	var revisions []*appsv1.ControllerRevision
	for i := range list.Items {
		if metav1.IsControlledBy(&list.Items[i], of) {
			revisions = append(revisions, &list.Items[i])
		}
	}
	return revisions, nil
}

// GetRaw reads an object of apps/v1 as the API server holds it. resource is the plural, such as "deployments".
func GetRaw(ctx context.Context, client kubernetes.Interface, resource, namespace, name string) (*unstructured.Unstructured, error) {
	result := client.AppsV1().RESTClient().Get().Namespace(namespace).Resource(resource).Name(name).
		SetHeader("Accept", "application/json").Do(ctx)
	if err := result.Error(); err != nil {
		return nil, Answered(err)
	}
	body, err := result.Raw()
	if err != nil {
		return nil, Answered(err)
	}
	object := &unstructured.Unstructured{}
	return object, Answered(object.UnmarshalJSON(body))
}
