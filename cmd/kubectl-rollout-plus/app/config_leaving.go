package app

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
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
		r.tell("%s was edited; %s keeps that: %s shows it, %s takes it again",
			head, version.Object.Name, command.Quoted("kubectl get %s -n %s -o yaml", version.Object, r.namespace),
			command.Quoted("%s config edit %s -n %s", command.Plugin, head, r.namespace))
	}
	return nil
}

// leavingOwners is the newest revision of the workload that goes back. Without one, the version is there for as long as one
// is that a command has just written.
func (r *restoration) leavingOwners(ctx context.Context) ([]metav1.OwnerReference, error) {
	newest := newestRevisions{}
	if err := r.eachRevision(ctx, []rollout.Workload{r.of}, newest.see); err != nil {
		return nil, err
	}
	if found := newest[r.of.GetUID()]; found != nil {
		return []metav1.OwnerReference{found.owner()}, nil
	}
	return nil, nil
}
