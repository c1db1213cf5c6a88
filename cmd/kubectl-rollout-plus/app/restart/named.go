package restart

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
)

// named returns the content of the one named object. The content is nil if the object does not exist but a workload takes
// configuration from it. In that case it also returns all workloads, which it had to read.
func (f *staleFlags) named(ctx context.Context, s *configuration.ConfigSession, object configmap.Object,
) (map[configmap.Object]*configmap.Content, []impact.Workload, error) {
	found, err := s.Reader.Get(ctx, object)
	if err == nil {
		return map[configmap.Object]*configmap.Content{object: found.Content}, nil, nil
	}
	var workloads []impact.Workload
	if apierrors.IsNotFound(err) {
		if workloads, err = s.Reader.Workloads(ctx); err == nil && !impact.IsNamed(object, workloads) {
			err = s.Absent(object)
		}
	}
	if err != nil {
		s.Env.Ended(cli.ConfigObject(s.Namespace, object), "", "", err)
		return nil, nil, err
	}
	return map[configmap.Object]*configmap.Content{object: nil}, workloads, nil
}
