package restore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
)

// giveBack gives an object the content it held before a change, unless somebody has changed it since. It also prints which
// workloads have taken the change already.
func giveBack(ctx context.Context, s *store.Session, note *store.Note) error {
	contents := make([]*configmap.Content, 2)
	for i, name := range []string{note.After, note.Before} {
		var err error
		if contents[i], err = s.Reader.Version(ctx, note.Version(name)); err != nil {
			return fmt.Errorf("%s stays changed: %w", note.Head(), err)
		}
	}
	found, err := s.Swap(ctx, note.Head(), contents[0], contents[1])
	switch {
	case err != nil:
		return err
	case found == store.FoundGone:
		s.Emit.Note("%s was deleted; %s has what it held before the change", note.Head(), note.Version(note.Before))
	case found == store.FoundOther:
		s.Emit.Note("%s was changed once more, and stays as it is; %s has what it held before", note.Head(), note.Version(note.Before))
	case found == store.FoundChanged:
		s.Emit.Note("%s holds again what it held before the change (%s)", note.Head(), note.Before)
		if len(note.Done) > 0 {
			s.Emit.Note("%s took the change before; %s brings back what took it", strings.Join(note.Done, ", "), RestartCommand(s, note.Head()))
		}
	}
	return nil
}

// RestartCommand returns the command that rolls out all workloads that do not run with the object's present content.
func RestartCommand(s *store.Session, head configmap.Object) string {
	return command.Quoted("%s restart --config %s -n %s", command.Plugin, head, s.Namespace)
}

// conclude does what the command that changed the configuration would have done at the end of a rollout.
func conclude(ctx context.Context, s *store.Session, kind string, key types.NamespacedName, result *rollout.Result, returned bool) {
	note, record, outcome := store.NoteOf(result.Record), result.Record, result.Outcome
	settled := configmap.Settled{Versions: map[configmap.Object]time.Time{}, Workloads: map[types.UID]bool{}}
	switch outcome {
	case rollout.Done:
		if len(note.Rest) > 0 {
			s.Emit.Note("the change of %s is for %s too; %s rolls that out", note.Head(), strings.Join(note.Rest, ", "), RestartCommand(s, note.Head()))
		}
		settled.Versions[note.Version(note.Before)] = record.StartedAt.Add(store.ClockTolerance)
	case rollout.RolledBack:
		// The rollback may be somebody else's. Then this command has found it done, and nothing is given back yet.
		if !returned {
			if err := giveBack(ctx, s, note); err != nil {
				s.Emit.Note("warning: %v", err)
				return
			}
		}
		settled.Versions[note.Version(note.After)] = record.StartedAt.Add(store.ClockTolerance)
	default:
		return
	}
	if of, err := s.Workload(ctx, kind, key.Name); err == nil {
		settled.Workloads[of.GetUID()] = true
	}
	s.Tidy(ctx, []configmap.Kind{note.Kind}, settled)
}
