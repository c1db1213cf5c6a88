package configuration

import (
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
)

// ToldAffected converts judged workloads to what is printed. It leaves out all values.
func ToldAffected(change *impact.Change, affected []impact.Affected) *printers.Affected {
	told := &printers.Affected{
		SchemaVersion: printers.SchemaVersion,
		Config:        printers.Config{Kind: string(change.Object.Kind), Name: change.Object.Name},
		ChangedKeys:   append([]string{}, configmap.ChangedKeys(change.Old, change.New)...),
		Workloads:     make([]printers.AffectedWorkload, len(affected)),
		Proposed:      !change.Every,
		Stale:         change.Stale,
		Gone:          change.New == nil,
	}
	for i := range affected {
		a := &affected[i]
		w := printers.AffectedWorkload{
			Kind: a.Kind, Name: a.Name, Verdict: string(a.Verdict), Note: a.Note, Reasons: make([]printers.AffectedReason, len(a.Reasons)),
		}
		for j := range a.Reasons {
			r := &a.Reasons[j]
			w.Reasons[j] = printers.AffectedReason{
				Container: r.Container, Source: string(r.Source), Key: r.Key, Variable: r.Variable, Path: r.Path, Reason: r.Text,
			}
		}
		told.Workloads[i] = w
	}
	return told
}
