package history

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// UnderWay reports whether a rollout is replacing pods that still serve another version than the workload's pod
// template. A restart does not count: the pods are of the same version before and after it.
func UnderWay(ctx context.Context, client kubernetes.Interface, object runtime.Object) (bool, error) {
	live, is := object.(workload.Object)
	if !is {
		return false, nil
	}
	w := workload.Of(live)
	switch {
	case !mayBeUnderWay(&w):
		return false, nil
	case w.HasReplicaSets:
		sets, err := kube.ReplicaSets(ctx, client, live)
		return err == nil && deploymentUnderWay(&w, sets), err
	}
	revisions, err := kube.ControllerRevisions(ctx, client, live)
	if err != nil || w.IsPerNode {
		return err == nil && daemonSetUnderWay(revisions), err
	}
	return statefulSetUnderWay(ctx, client, &w, revisions)
}

// mayBeUnderWay reports from a workload alone whether pods of an older template may be serving. Without any ready pod,
// there is nothing to protect.
func mayBeUnderWay(w *workload.Workload) bool { return w.Counts.Ready > 0 && w.IsReplacing }

// deploymentUnderWay reports whether any ReplicaSet has ready pods of another version.
func deploymentUnderWay(w *workload.Workload, replicaSets []*appsv1.ReplicaSet) bool {
	for _, rs := range replicaSets {
		if rs.Status.ReadyReplicas > 0 && !podtemplate.OnlyRestarted(&rs.Spec.Template, w.Template) {
			return true
		}
	}
	return false
}

// statefulSetUnderWay compares the two revisions that the controller reports. After a rollback in the middle of a
// rollout, both are the same while pods of a third are left. Then it looks at the pods.
func statefulSetUnderWay(
	ctx context.Context, client kubernetes.Interface, w *workload.Workload, revisions []*appsv1.ControllerRevision,
) (bool, error) {
	if differ(revisions, w.CurrentRevision, w.UpdateRevision) {
		return true, nil
	}
	if w.CurrentRevision != w.UpdateRevision {
		return false, nil
	}
	namespace, name := w.Object.GetNamespace(), w.Object.GetName()
	pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(w.Selector)})
	if err != nil {
		return false, fmt.Errorf("cannot list the pods of %q in namespace %q: %w", name, namespace, err)
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		of := pod.Labels[appsv1.ControllerRevisionHashLabelKey]
		if metav1.IsControlledBy(pod, w.Object) && workload.IsActive(pod) && differ(revisions, of, w.UpdateRevision) {
			return true, nil
		}
	}
	return false, nil
}

// daemonSetUnderWay compares the newest two revisions, since the pods of a DaemonSet are of these.
func daemonSetUnderWay(revisions []*appsv1.ControllerRevision) bool {
	var newest, before *appsv1.ControllerRevision
	for _, revision := range revisions {
		switch {
		case newest == nil || revision.Revision > newest.Revision:
			newest, before = revision, newest
		case before == nil || revision.Revision > before.Revision:
			before = revision
		}
	}
	return newest != nil && before != nil && differ(revisions, before.Name, newest.Name)
}

// differ reports whether two revisions differ in more than a restart. A revision that cannot be found or read differs.
func differ(revisions []*appsv1.ControllerRevision, a, b string) bool {
	templates := map[string]*corev1.PodTemplateSpec{}
	for _, revision := range revisions {
		if template, found, err := podtemplate.OfRevision(revision); found && err == nil {
			templates[revision.Name] = template
		}
	}
	if templates[a] == nil || templates[b] == nil {
		return a != b
	}
	return !podtemplate.OnlyRestarted(templates[a], templates[b])
}
