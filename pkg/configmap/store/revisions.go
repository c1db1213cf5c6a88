package store

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Revision is a ReplicaSet or ControllerRevision.
type Revision struct {
	metav1.Object
	kind   string
	number int64
	// Of is the UID of the workload that owns the revision.
	Of types.UID
	// stored is the revision as it was read.
	stored runtime.Object
}

// RevisionOf converts a ReplicaSet or ControllerRevision. It returns nil for other objects and for those without a
// controller.
func RevisionOf(object runtime.Object) *Revision {
	var found *Revision
	switch o := object.(type) {
	case *appsv1.ReplicaSet:
		found = &Revision{Object: o, kind: "ReplicaSet", number: workload.RevisionOf(o), stored: o}
	case *appsv1.ControllerRevision:
		found = &Revision{Object: o, kind: "ControllerRevision", number: o.Revision, stored: o}
	default:
		return nil
	}
	owner := metav1.GetControllerOfNoCopy(found)
	if owner == nil {
		return nil
	}
	found.Of = owner.UID
	return found
}

// Owner returns the revision as the owner of a version.
func (r *Revision) Owner() metav1.OwnerReference { return OwnerOf(r, "apps/v1", r.kind) }

// template returns the pod template of a revision in the form that the workload has it.
func (r *Revision) template() (*corev1.PodTemplateSpec, error) {
	switch o := r.stored.(type) {
	case *appsv1.ReplicaSet:
		template := o.Spec.Template.DeepCopy()
		delete(template.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
		return template, nil
	case *appsv1.ControllerRevision:
		template, found, err := podtemplate.OfRevision(o)
		if err != nil || found {
			return template, err
		}
	}
	return &corev1.PodTemplateSpec{}, nil
}

// Has reports whether a revision has this template.
func (r *Revision) Has(template *corev1.PodTemplateSpec) bool {
	own, err := r.template()
	return err == nil && equality.Semantic.DeepEqual(own, template)
}

// EachRevision calls see for all revisions of the kinds that some workloads need. That includes revisions of other
// workloads.
func (s *Session) EachRevision(ctx context.Context, workloads []workload.Object, see func(runtime.Object)) error {
	apps := s.Engine.Client.AppsV1()
	lists := map[string]resourceList{}
	for _, w := range workloads {
		l := typed("controllerrevisions.apps", apps.ControllerRevisions(s.Namespace).List)
		if _, is := w.(*appsv1.Deployment); is {
			l = typed("replicasets.apps", apps.ReplicaSets(s.Namespace).List)
		}
		lists[l.Resource] = l
	}
	for _, l := range lists {
		if err := s.Reader.each(ctx, l, see); err != nil {
			return err
		}
	}
	return nil
}

// NewestRevisions maps the UIDs of workloads to their newest revisions.
type NewestRevisions map[types.UID]*Revision

// See adds a revision if it is the newest one so far. It ignores other objects.
func (n NewestRevisions) See(object runtime.Object) {
	found := RevisionOf(object)
	if found == nil {
		return
	}
	if known := n[found.Of]; known == nil || known.number < found.number {
		n[found.Of] = found
	}
}

// uids returns the UIDs of the revisions.
func (n NewestRevisions) uids() map[types.UID]bool {
	all := map[types.UID]bool{}
	for _, found := range n {
		all[found.GetUID()] = true
	}
	return all
}

// RevisionsLeft returns the newest revisions of those workloads whose templates reference a head by its plain name and do not
// note its content.
func (s *Session) RevisionsLeft(ctx context.Context, head configmap.Object, of []workload.Object) ([]configmap.Holder, error) {
	var workloads []workload.Object
	for _, w := range of {
		holder := configmap.NewHolder(metav1.OwnerReference{}, true, workload.TemplateOf(w))
		if holder.Unrecorded(head) {
			workloads = append(workloads, w)
		}
	}
	newest := NewestRevisions{}
	if err := s.EachRevision(ctx, workloads, newest.See); err != nil {
		return nil, err
	}
	var left []configmap.Holder
	for _, w := range workloads {
		// The controller may not have seen the template yet. Then its revision does not exist, and the one before is not left
		// now.
		if found := newest[w.GetUID()]; found != nil && found.Has(workload.TemplateOf(w)) {
			left = append(left, configmap.NewHolder(found.Owner(), false, workload.TemplateOf(w)))
		}
	}
	return left, nil
}
