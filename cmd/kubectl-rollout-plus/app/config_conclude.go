package app

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
func (s *configSession) giveBack(ctx context.Context, note *store.Note) error {
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
		s.tell("%s was deleted; %s has what it held before the change", note.Head(), note.Version(note.Before))
	case found == store.FoundOther:
		s.tell("%s was changed once more, and stays as it is; %s has what it held before", note.Head(), note.Version(note.Before))
	case found == store.FoundChanged:
		s.tell("%s holds again what it held before the change (%s)", note.Head(), note.Before)
		if len(note.Done) > 0 {
			s.tell("%s took the change before; %s brings back what took it", strings.Join(note.Done, ", "), s.rollsOut(note.Head()))
		}
	}
	return nil
}

// rollsOut returns the command that rolls out all workloads that do not run with the object's present content.
func (s *configSession) rollsOut(head configmap.Object) string {
	return command.Quoted("%s restart --config %s -n %s", command.Plugin, head, s.Namespace)
}

// concludeChange does what the command that changed the configuration would have done at the end of a rollout.
func (s *configSession) concludeChange(ctx context.Context, kind string, key types.NamespacedName, result *rollout.Result, returned bool) {
	note, record, outcome := store.NoteOf(result.Record), result.Record, result.Outcome
	settled := configmap.Settled{Versions: map[configmap.Object]time.Time{}, Workloads: map[types.UID]bool{}}
	switch outcome {
	case rollout.Done:
		if len(note.Rest) > 0 {
			s.tell("the change of %s is for %s too; %s rolls that out", note.Head(), strings.Join(note.Rest, ", "), s.rollsOut(note.Head()))
		}
		settled.Versions[note.Version(note.Before)] = record.StartedAt.Add(tolerated)
	case rollout.RolledBack:
		// The rollback may be somebody else's. Then this command has found it done, and nothing is given back yet.
		if !returned {
			if err := s.giveBack(ctx, note); err != nil {
				s.tell("warning: %v", err)
				return
			}
		}
		settled.Versions[note.Version(note.After)] = record.StartedAt.Add(tolerated)
	default:
		return
	}
	if workload, err := s.Workload(ctx, kind, key.Name); err == nil {
		settled.Workloads[workload.GetUID()] = true
	}
	s.Tidy(ctx, []configmap.Kind{note.Kind}, settled)
}
