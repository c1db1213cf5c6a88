package restore

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// keepEdited keeps the edited content of a head as a version if no version has it. The revision that is left owns this
// version, which is deleted together with it.
func (r *Restoration) keepEdited(ctx context.Context, leaving *configmap.Holder, head configmap.Object, content *configmap.Content) error {
	if r.Lenient {
		return nil // in this mode, only content of a version of the old revision is overwritten
	}
	if is, err := r.isOf(ctx, leaving, head, content); err != nil || is {
		return err
	}
	owners, err := r.leavingOwners(ctx)
	if err != nil {
		return err
	}
	version, err := r.Versions.Ensure(ctx, head, content, owners, false)
	if err != nil {
		return fmt.Errorf("%s was edited, and what it holds could not be kept: %w; %s", head, err, r.advice.Unkept)
	}
	if _, before := r.kept[version.Object]; !before {
		r.Emit.Note("%s was edited; %s keeps that: %s shows it, %s takes it again",
			head, version.Object.Name, command.Quoted("kubectl get %s -n %s -o yaml", version.Object, r.Namespace),
			command.Quoted("%s config edit %s -n %s", command.Plugin, head, r.Namespace))
	}
	return nil
}

// leavingOwners returns the newest revision of the workload that goes back. If there is none, the version has no owner. A
// sweep then spares it only for as long as any version that was just written.
func (r *Restoration) leavingOwners(ctx context.Context) ([]metav1.OwnerReference, error) {
	newest := store.NewestRevisions{}
	if err := r.EachRevision(ctx, []workload.Object{r.Of}, newest.See); err != nil {
		return nil, err
	}
	if found := newest[r.Of.GetUID()]; found != nil {
		return []metav1.OwnerReference{found.Owner()}, nil
	}
	return nil, nil
}
