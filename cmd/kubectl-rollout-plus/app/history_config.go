package app

import (
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// withConfig adds to a revision what its template tells of the configuration. Nothing is read for that.
func withConfig(revision *rollout.RevisionInfo) (printers.Revision, error) {
	template, err := rollout.TypedTemplate(revision.Template)
	if err != nil {
		return printers.Revision{}, err
	}
	shown := printers.Revision{RevisionInfo: revision}
	for _, use := range configmap.Uses(template) {
		shown.Config = append(shown.Config, printers.RevisionConfig{
			Config: printers.Config{Kind: string(use.Head.Kind), Name: use.Head.Name}, Version: use.Version, Hash: use.Hash(),
		})
	}
	return shown, nil
}
