package history

import (
	"context"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// withConfig adds the configuration that each revision uses. It takes the versions from the template. If the template has
// plain names without a note, it takes the versions that a command has kept for the revision.
func (p *pastOf) withConfig(ctx context.Context, revisions []history.Revision) ([]printers.Revision, error) {
	shown := make([]printers.Revision, len(revisions))
	kept := store.NewKept(&store.Reader{Client: p.engine.Client, Namespace: p.Namespace})
	for i := range revisions {
		shown[i].Revision = &revisions[i]
		template, err := podtemplate.Typed(revisions[i].Template)
		if err != nil {
			return nil, err
		}
		for _, use := range configmap.Uses(template) {
			if use.Version, err = kept.Version(ctx, use, revisions[i].UID); err != nil {
				return nil, err
			}
			config := printers.RevisionConfig{Config: printers.Config{Kind: string(use.Head.Kind), Name: use.Head.Name}}
			if use.Version == configmap.Absent {
				config.Absent = true
			} else {
				config.Version, config.Hash = use.Version, use.Hash()
			}
			shown[i].Config = append(shown[i].Config, config)
		}
	}
	return shown, nil
}
