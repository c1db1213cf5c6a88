package restore

import (
	"context"
	"maps"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

// Referenced returns the objects from which workloads that can be rolled out take configuration, and all objects with
// versions. The value is true for an object with versions.
func Referenced(ctx context.Context, s *store.Session, workloads []impact.Workload) (map[configmap.Object]bool, error) {
	r := &Restoration{Session: s}
	if _, err := r.LookUp(ctx); err != nil {
		return nil, err
	}
	versioned := maps.Clone(r.heads)
	for i := range workloads {
		for _, reference := range configmap.References(workloads[i].Spec) {
			if _, known := versioned[reference.Object]; known || !workloads[i].Rolls || !reference.Configures() {
				continue
			}
			is, err := r.isVersion(ctx, reference.Object)
			if err != nil {
				return nil, err
			}
			if !is {
				versioned[reference.Object] = false
			}
		}
	}
	return versioned, nil
}

// isVersion reports whether an object is a version. It checks the content. If the object is gone or may not be read, its
// metadata decides.
func (r *Restoration) isVersion(ctx context.Context, object configmap.Object) (bool, error) {
	if _, says := r.kept[object]; !says {
		return false, nil
	}
	found, err := r.Reader.Get(ctx, object)
	if err != nil {
		return true, context.Cause(ctx)
	}
	_, is := found.Stored().Version()
	return is, nil
}
