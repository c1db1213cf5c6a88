package rollout

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/admission"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// collides returns a finding if the controller does not recognize the ReplicaSets that it made, because their template is not
// the Deployment's. The controller then makes ReplicaSets without end, counts a collision for each, and reports no change as
// observed. Two ReplicaSets made since the last change are proof, since a change makes one.
func (s *Snapshot) collides() *Finding {
	d := s.deployment()
	if workload.Of(d).Collisions == 0 || s.Current() != nil || !s.StaleSince.IsZero() {
		return nil
	}
	var newest *appsv1.ReplicaSet
	made, since := 0, lastChange(d)
	for _, rs := range s.ReplicaSets {
		if rs.CreationTimestamp.Time.Before(since) {
			continue
		}
		if made++; newest == nil || workload.RevisionOf(rs) > workload.RevisionOf(newest) {
			newest = rs
		}
	}
	if made < 2 {
		return nil
	}
	return collision(d, "ReplicaSet "+newest.Name, workload.WithoutHash(&newest.Spec.Template))
}

// revisionCollides does what collides does, for the newest ControllerRevision of a StatefulSet or DaemonSet.
func revisionCollides(w workload.Object, newest *appsv1.ControllerRevision) *Finding {
	if newest == nil || workload.Of(w).Collisions == 0 || newest.CreationTimestamp.Time.Before(lastChange(w)) {
		return nil
	}
	template, found, err := podtemplate.OfRevision(newest)
	if err != nil || !found || workload.SameTemplate(template, workload.TemplateOf(w)) {
		return nil
	}
	return collision(w, "ControllerRevision "+newest.Name, template)
}

// collisionOf returns the collision of a StatefulSet or DaemonSet as a fact, or nil if there is none. It reads the
// ControllerRevisions only if the controller has counted collisions.
func (e *Engine) collisionOf(ctx context.Context, w workload.Object) ([]diagnose.Fact, error) {
	if workload.Of(w).Collisions == 0 {
		return nil, nil
	}
	revisions, err := kube.ControllerRevisions(ctx, e.Client, w)
	if err != nil {
		return nil, err
	}
	var newest *appsv1.ControllerRevision
	for _, revision := range revisions {
		if newest == nil || revision.Revision > newest.Revision {
			newest = revision
		}
	}
	if finding := revisionCollides(w, newest); finding != nil {
		return []diagnose.Fact{{ID: finding.ID, Message: finding.Message}}, nil
	}
	return nil, nil
}

func collision(w workload.Object, made string, template *corev1.PodTemplateSpec) *Finding {
	message := fmt.Sprintf("%s was stored with another pod template than that of the %s", made, workload.ResourceOf(w))
	if paths := differences(workload.TemplateOf(w), template); len(paths) > 0 {
		message += " (" + strings.Join(paths, ", ") + ")"
	}
	message += fmt.Sprintf("; its controller does not find it again and makes more of them, %d collisions by now", workload.Of(w).Collisions)
	object := diagnose.Object{Kind: workload.KindOf(w), Name: w.GetName()}
	return diagnose.Known(diagnose.HashCollision, object, w.GetNamespace(), message)
}

// differences returns the paths at which two pod templates differ.
func differences(wanted, stored *corev1.PodTemplateSpec) []string {
	a, err := runtime.DefaultUnstructuredConverter.ToUnstructured(wanted)
	if err != nil {
		return nil
	}
	b, err := runtime.DefaultUnstructuredConverter.ToUnstructured(stored)
	if err != nil {
		return nil
	}
	var paths []string
	for _, field := range admission.SetBack("spec.template", podtemplate.Written(a), podtemplate.Written(b), podtemplate.Written(a)) {
		paths = append(paths, field.Path)
	}
	return paths
}
