package app

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// keepEdited keeps as a version what somebody has written into a head, which is nowhere else. It goes with the revision
// that is left.
func (r *restoration) keepEdited(ctx context.Context, leaving *configmap.Holder, head configmap.Object, content *configmap.Content) error {
	if r.lenient {
		return nil // what is overwritten is a version that the revision has
	}
	if is, err := r.isOf(ctx, leaving, head, content); err != nil || is {
		return err
	}
	owners, err := r.leavingOwners(ctx)
	if err != nil {
		return err
	}
	version, err := r.store.ensure(ctx, head, content, owners, false)
	if err != nil {
		return fmt.Errorf("%s was edited, and what it holds could not be kept: %w; --keep-config leaves it", head, err)
	}
	if _, before := r.kept[version.Object]; !before {
		r.tell("%s was edited; %s keeps that: 'kubectl get %s -n %s -o yaml' shows it, '%s config edit %s -n %s' takes it again",
			head, version.Object.Name, version.Object, r.namespace, displayName, head, r.namespace)
	}
	return nil
}

// leavingOwners is the newest revision of the workload that goes back. Without one, the version is there for as long as one
// is that a command has just written.
func (r *restoration) leavingOwners(ctx context.Context) ([]metav1.OwnerReference, error) {
	apps := r.engine.Client.AppsV1()
	revisions := typed("controllerrevisions", apps.ControllerRevisions(r.namespace).List)
	if _, is := r.of.(*appsv1.Deployment); is {
		revisions = typed("replicasets", apps.ReplicaSets(r.namespace).List)
	}
	var owners []metav1.OwnerReference
	newest := int64(-1)
	err := r.reader.each(ctx, revisions, func(object runtime.Object) {
		revision, number, kind := revisionOf(object)
		if revision == nil || !metav1.IsControlledBy(revision, r.of) || number <= newest {
			return
		}
		newest, owners = number, []metav1.OwnerReference{ownerOf(revision, "apps/v1", kind)}
	})
	return owners, err
}

func revisionOf(object runtime.Object) (of metav1.Object, number int64, kind string) {
	switch o := object.(type) {
	case *appsv1.ReplicaSet:
		return o, rollout.RevisionOf(o), "ReplicaSet"
	case *appsv1.ControllerRevision:
		return o, o.Revision, "ControllerRevision"
	}
	return nil, 0, ""
}
