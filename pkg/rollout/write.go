package rollout

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// patchOptions returns the options of a write, or of a dry run of it.
func (e *Engine) patchOptions(dryRun bool) metav1.PatchOptions {
	options := metav1.PatchOptions{FieldManager: e.FieldManager}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	return options
}

// writeLast makes the write that gives the workload its own fields back. If the fields had other owners, a second
// write gives the fields back to them.
func (s *session) writeLast(ctx context.Context, p *patch) error {
	if err := s.write(ctx, p); err != nil {
		s.returnedUnanswered(ctx)
		return err
	}
	s.written = s.returned(ctx, s.written)
	return nil
}

// write writes a patch to the session's workload. The session knows the result before the watch delivers it. An
// AlteredError reports that the write was made and stored in another form.
func (s *session) write(ctx context.Context, p *patch) error {
	written, err := s.patchWorkload(ctx, p.of, p, false)
	if err != nil {
		return explainOn(ctx, "patch", workload.ResourceOf(p.of), s.key, p.refused(kube.Answered(err)))
	}
	s.wrote(written)
	return p.altered(written)
}

// wrote keeps the workload that a write returned.
func (s *session) wrote(written workload.Object) {
	s.written, s.mayWrite, s.refusals, s.conflicts = written, true, refusals{}, conflicts{}
}
