package rollout

import (
	"context"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// UnderWay tells whether pods of another version than a workload's pod template serve, which a rollout is replacing. A
// restart that is under way is not one: the pods are of the same version before and after it.
func (e *Engine) UnderWay(ctx context.Context, object runtime.Object) (bool, error) {
	switch o := object.(type) {
	case *appsv1.Deployment:
		snapshot := Snapshot{Deployment: o}
		if status := o.Status; o.Spec.Paused || status.ReadyReplicas == 0 || snapshot.Observed() && status.UpdatedReplicas == status.Replicas {
			return false, nil
		}
		sets, err := e.replicaSets(ctx, o)
		return err == nil && deploymentUnderWay(o, sets), err
	case *appsv1.StatefulSet:
		status := o.Status
		if status.ReadyReplicas == 0 || status.ObservedGeneration >= o.Generation && status.CurrentRevision == status.UpdateRevision {
			return false, nil
		}
		revisions, err := e.controllerRevisions(ctx, o, o.Spec.Selector)
		return err == nil && differ(revisions, status.CurrentRevision, status.UpdateRevision), err
	case *appsv1.DaemonSet:
		status := o.Status
		if status.NumberReady == 0 || status.ObservedGeneration >= o.Generation && status.UpdatedNumberScheduled >= status.DesiredNumberScheduled {
			return false, nil
		}
		revisions, err := e.controllerRevisions(ctx, o, o.Spec.Selector)
		return err == nil && daemonSetUnderWay(revisions), err
	}
	return false, nil
}

// controllerRevisions reads the revisions of a StatefulSet or DaemonSet.
func (e *Engine) controllerRevisions(ctx context.Context, of metav1.Object, selector *metav1.LabelSelector) ([]*appsv1.ControllerRevision, error) {
	list, err := e.Client.AppsV1().ControllerRevisions(of.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(selector)})
	if err != nil {
		return nil, fmt.Errorf("cannot list the ControllerRevisions of %q in namespace %q: %w", of.GetName(), of.GetNamespace(), err)
	}
	var revisions []*appsv1.ControllerRevision
	for i := range list.Items {
		if metav1.IsControlledBy(&list.Items[i], of) {
			revisions = append(revisions, &list.Items[i])
		}
	}
	return revisions, nil
}

// deploymentUnderWay looks for ReplicaSets with ready pods of another version.
func deploymentUnderWay(d *appsv1.Deployment, replicaSets []*appsv1.ReplicaSet) bool {
	for _, rs := range replicaSets {
		if rs.Status.ReadyReplicas > 0 && !onlyRestarted(&rs.Spec.Template, &d.Spec.Template) {
			return true
		}
	}
	return false
}

// daemonSetUnderWay compares the newest two revisions: those are what the pods of a DaemonSet are of.
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

// differ tells whether two revisions differ in more than a restart; what cannot be found or read differs.
func differ(revisions []*appsv1.ControllerRevision, a, b string) bool {
	templates := map[string]*corev1.PodTemplateSpec{}
	for _, revision := range revisions {
		var data struct {
			Spec struct {
				Template corev1.PodTemplateSpec `json:"template"`
			} `json:"spec"`
		}
		if json.Unmarshal(revision.Data.Raw, &data) == nil {
			templates[revision.Name] = &data.Spec.Template
		}
	}
	if templates[a] == nil || templates[b] == nil {
		return a != b
	}
	return !onlyRestarted(templates[a], templates[b])
}
