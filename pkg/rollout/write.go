package rollout

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// patchOptions are those of a write, or of one that the API server only says of whether it would take it.
func (e *Engine) patchOptions(dryRun bool) metav1.PatchOptions {
	options := metav1.PatchOptions{FieldManager: e.FieldManager}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	return options
}

// patchDeployment makes a write to a Deployment.
func (e *Engine) patchDeployment(ctx context.Context, key types.NamespacedName, p *patch, dryRun bool) (*appsv1.Deployment, error) {
	body, err := p.body()
	if err != nil {
		return nil, err
	}
	written, err := e.Client.AppsV1().Deployments(key.Namespace).Patch(ctx, key.Name, types.JSONPatchType, body, e.patchOptions(dryRun))
	if err != nil {
		return nil, explain(ctx, "patch", key, p.refused(answered(err)))
	}
	return written, nil
}

// writeLast makes the write that gives the Deployment its own fields back, and then the one for their owners, if any.
func (s *session) writeLast(ctx context.Context, p *patch) error {
	if err := s.write(ctx, p); err != nil {
		s.returnedUnanswered(ctx)
		return err
	}
	if d, is := s.returned(ctx, s.written).(*appsv1.Deployment); is {
		s.written = d
	}
	return nil
}

// write makes a write to the session's Deployment, which it then knows before the watch brings it. An AlteredError reports
// that the write was made and stored in another form.
func (s *session) write(ctx context.Context, p *patch) error {
	written, err := s.patchDeployment(ctx, s.key, p, false)
	if err != nil {
		return err
	}
	s.wrote(written)
	return p.altered(written)
}

// wrote takes a Deployment as a write has left it.
func (s *session) wrote(written *appsv1.Deployment) {
	s.written, s.mayWrite, s.refusals, s.conflicts = written, true, refusals{}, conflicts{}
}
