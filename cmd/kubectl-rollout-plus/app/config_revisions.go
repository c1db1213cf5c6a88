package app

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// revision is a ReplicaSet or ControllerRevision.
type revision struct {
	metav1.Object
	kind   string
	number int64
	// of is the UID of the workload that owns the revision.
	of types.UID
	// stored is the revision as it was read.
	stored runtime.Object
}

// revisionOf converts a ReplicaSet or ControllerRevision. It returns nil for other objects and for those without a
// controller.
func revisionOf(object runtime.Object) *revision {
	var found *revision
	switch o := object.(type) {
	case *appsv1.ReplicaSet:
		found = &revision{Object: o, kind: "ReplicaSet", number: rollout.RevisionOf(o), stored: o}
	case *appsv1.ControllerRevision:
		found = &revision{Object: o, kind: "ControllerRevision", number: o.Revision, stored: o}
	default:
		return nil
	}
	owner := metav1.GetControllerOfNoCopy(found)
	if owner == nil {
		return nil
	}
	found.of = owner.UID
	return found
}

func (r *revision) owner() metav1.OwnerReference { return ownerOf(r, "apps/v1", r.kind) }

// template returns the pod template of a revision in the form that the workload has it.
func (r *revision) template() (*corev1.PodTemplateSpec, error) {
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

// has reports whether a revision has this template.
func (r *revision) has(template *corev1.PodTemplateSpec) bool {
	own, err := r.template()
	return err == nil && equality.Semantic.DeepEqual(own, template)
}

// eachRevision calls see for all revisions of the kinds that some workloads need. That includes revisions of other
// workloads.
func (s *configSession) eachRevision(ctx context.Context, workloads []rollout.Workload, see func(runtime.Object)) error {
	apps := s.engine.Client.AppsV1()
	lists := map[string]list{}
	for _, w := range workloads {
		l := typed("controllerrevisions.apps", apps.ControllerRevisions(s.namespace).List)
		if _, is := w.(*appsv1.Deployment); is {
			l = typed("replicasets.apps", apps.ReplicaSets(s.namespace).List)
		}
		lists[l.Resource] = l
	}
	for _, l := range lists {
		if err := s.reader.each(ctx, l, see); err != nil {
			return err
		}
	}
	return nil
}

// newestRevisions maps the UIDs of workloads to their newest revisions.
type newestRevisions map[types.UID]*revision

// see adds a revision if it is the newest one so far. It ignores other objects.
func (n newestRevisions) see(object runtime.Object) {
	found := revisionOf(object)
	if found == nil {
		return
	}
	if known := n[found.of]; known == nil || known.number < found.number {
		n[found.of] = found
	}
}

// uids returns the UIDs of the revisions.
func (n newestRevisions) uids() map[types.UID]bool {
	all := map[types.UID]bool{}
	for _, found := range n {
		all[found.GetUID()] = true
	}
	return all
}
