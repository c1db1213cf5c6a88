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
	workload, is := object.(workload.Object)
	if !is || !mayBeUnderWay(workload) {
		return false, nil
	}
	if d, is := object.(*appsv1.Deployment); is {
		sets, err := kube.ReplicaSets(ctx, client, d)
		return err == nil && deploymentUnderWay(d, sets), err
	}
	if set, is := object.(*appsv1.StatefulSet); is {
		return statefulSetUnderWay(ctx, client, set)
	}
	if set, is := object.(*appsv1.DaemonSet); is {
		revisions, err := kube.ControllerRevisions(ctx, client, set)
		return err == nil && daemonSetUnderWay(revisions), err
	}
	return false, nil
}

// mayBeUnderWay reports from a workload alone whether pods of an older template may be serving. Without any ready pod,
// there is nothing to protect. A paused Deployment, a partitioned StatefulSet and the strategy OnDelete replace no
// pods.
func mayBeUnderWay(object workload.Object) bool {
	phase, ready := workload.PhaseOf(object), workload.PodCountsOf(object).Ready
	switch w := object.(type) {
	case *appsv1.Deployment:
		return ready > 0 && !w.Spec.Paused && (phase == workload.Unobserved || w.Status.UpdatedReplicas < w.Status.Replicas)
	case *appsv1.StatefulSet:
		return ready > 0 && (phase == workload.Unobserved || phase == workload.Progressing &&
			(w.Status.CurrentRevision != w.Status.UpdateRevision || w.Status.UpdatedReplicas < w.Status.Replicas))
	case *appsv1.DaemonSet:
		return ready > 0 && (phase == workload.Unobserved || phase == workload.Progressing && w.Status.UpdatedNumberScheduled < w.Status.DesiredNumberScheduled)
	}
	return false
}

// deploymentUnderWay reports whether any ReplicaSet has ready pods of another version.
func deploymentUnderWay(d *appsv1.Deployment, replicaSets []*appsv1.ReplicaSet) bool {
	for _, rs := range replicaSets {
		if rs.Status.ReadyReplicas > 0 && !podtemplate.OnlyRestarted(&rs.Spec.Template, &d.Spec.Template) {
			return true
		}
	}
	return false
}

// statefulSetUnderWay compares the two revisions that the controller reports. After a rollback in the middle of a
// rollout, both are the same while pods of a third are left. Then it looks at the pods.
func statefulSetUnderWay(ctx context.Context, client kubernetes.Interface, set *appsv1.StatefulSet) (bool, error) {
	revisions, err := kube.ControllerRevisions(ctx, client, set)
	if err != nil || differ(revisions, set.Status.CurrentRevision, set.Status.UpdateRevision) {
		return err == nil, err
	}
	if set.Status.CurrentRevision != set.Status.UpdateRevision {
		return false, nil
	}
	pods, err := client.CoreV1().Pods(set.Namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(set.Spec.Selector)})
	if err != nil {
		return false, fmt.Errorf("cannot list the pods of %q in namespace %q: %w", set.Name, set.Namespace, err)
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		of := pod.Labels[appsv1.ControllerRevisionHashLabelKey]
		if metav1.IsControlledBy(pod, set) && workload.IsActive(pod) && differ(revisions, of, set.Status.UpdateRevision) {
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
