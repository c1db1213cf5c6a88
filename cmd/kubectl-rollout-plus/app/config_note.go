package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// configNote is what an open rollout remembers of the change of configuration that began it. Whoever rolls back can then
// give the object its old content, even if the command that made the change is gone.
type configNote struct {
	Kind configmap.Kind `json:"kind"`
	Name string         `json:"name"`
	// Before and After are the names of versions with the object's content before and after the change.
	Before string `json:"before"`
	After  string `json:"after"`
	// Done and Rest name the workloads that are rolled out before and after this one.
	Done []string `json:"done,omitempty"`
	Rest []string `json:"rest,omitempty"`
}

func (n *configNote) head() configmap.Object { return configmap.Object{Kind: n.Kind, Name: n.Name} }

func (n *configNote) version(name string) configmap.Object {
	return configmap.Object{Kind: n.Kind, Name: name}
}

// noteOf returns the note of a rollout, or nil if no change of configuration began it.
func noteOf(record *rollout.Record) *configNote {
	if record == nil || len(record.Note) == 0 {
		return nil
	}
	var note configNote
	if err := json.Unmarshal(record.Note, &note); err != nil || note.Name == "" || note.Before == "" || note.After == "" {
		return nil
	}
	return &note
}

// note returns the note for the rollout of the workload at an index of c.out. It returns nil if the object's old content is
// not kept, since there is no way back then.
func (c *changer) note(at int) json.RawMessage {
	if c.before == nil {
		return nil
	}
	head := c.head.object
	note := configNote{Kind: head.Kind, Name: head.Name, Before: c.before.Object.Name, After: c.pin.versions[head].Object.Name}
	note.Done, note.Rest = namesOf(c.out[:at]), namesOf(c.out[at+1:])
	text, _ := json.Marshal(note) // encoding strings always works
	return text
}

// namesOf returns the names of at most 10 workloads, so that they fit into an annotation, and the number of the others.
func namesOf(workloads []*affectedWorkload) []string {
	const most = 10
	var names []string
	for i, w := range workloads {
		if i == most {
			return append(names, fmt.Sprintf("%d more", len(workloads)-most))
		}
		names = append(names, nameOf(w.workload))
	}
	return names
}

// returning returns a hook that restores the configuration when the engine rolls back. The rollback goes on even if that
// fails.
func (env *environment) returning(engine *rollout.Engine) func(context.Context, rollout.Workload, *corev1.PodTemplateSpec, *rollout.Record) {
	return func(ctx context.Context, of rollout.Workload, template *corev1.PodTemplateSpec, record *rollout.Record) {
		r := &restoration{configSession: env.sessionOf(engine, of.GetNamespace()), of: of, lenient: true}
		var err error
		if r.note = noteOf(record); r.note != nil {
			err = r.giveBack(ctx, r.note)
		}
		some := false
		if err == nil {
			some, err = r.lookUp(ctx)
		}
		if err == nil && some {
			_, err = r.to(ctx, rollout.TemplateOf(of), template)
		}
		if err != nil && context.Cause(ctx) == nil {
			r.tell("warning: the configuration of the old version could not be restored: %v", err)
		}
	}
}

// foundHead is the state in which swap found an object.
type foundHead int

const (
	// foundChanged means that the object had the old content, and has the new one now.
	foundChanged foundHead = iota
	// foundSwapped means that the object had the new content already.
	foundSwapped
	// foundOther means that somebody has changed the object since. It is left alone.
	foundOther
	// foundGone means that the object was deleted.
	foundGone
)

// swap replaces one content of an object by another. Concurrent changes of anything but the content do not hinder it.
func (s *configSession) swap(ctx context.Context, object configmap.Object, from, to *configmap.Content) (foundHead, error) {
	for try := 1; ; try++ {
		now, err := s.reader.get(ctx, object)
		switch {
		case apierrors.IsNotFound(err):
			return foundGone, nil
		case err != nil:
			return foundOther, err
		case now.content.Equal(to):
			return foundSwapped, nil
		case !now.content.Equal(from):
			return foundOther, nil
		}
		_, err = s.write(ctx, &head{object: object, read: now}, to, false)
		if !apierrors.IsConflict(err) || try >= rollout.ConflictTries {
			return foundChanged, err
		}
		if err := rollout.PauseForConflict(ctx, s.env.clock, try); err != nil {
			return foundOther, err
		}
	}
}

// giveBack gives an object the content it held before a change, unless somebody has changed it since. It also prints which
// workloads have taken the change already.
func (s *configSession) giveBack(ctx context.Context, note *configNote) error {
	contents := make([]*configmap.Content, 2)
	for i, name := range []string{note.After, note.Before} {
		var err error
		if contents[i], err = s.reader.version(ctx, note.version(name)); err != nil {
			return fmt.Errorf("%s stays changed: %w", note.head(), err)
		}
	}
	found, err := s.swap(ctx, note.head(), contents[0], contents[1])
	switch {
	case err != nil:
		return err
	case found == foundGone:
		s.tell("%s was deleted; %s has what it held before the change", note.head(), note.version(note.Before))
	case found == foundOther:
		s.tell("%s was changed once more, and stays as it is; %s has what it held before", note.head(), note.version(note.Before))
	case found == foundChanged:
		s.tell("%s holds again what it held before the change (%s)", note.head(), note.Before)
		if len(note.Done) > 0 {
			s.tell("%s took the change before; %s brings back what took it", strings.Join(note.Done, ", "), s.rollsOut(note.head()))
		}
	}
	return nil
}

// rollsOut returns the command that rolls out all workloads that do not run with the object's present content.
func (s *configSession) rollsOut(head configmap.Object) string {
	return command.Quoted("%s restart --config %s -n %s", command.Plugin, head, s.namespace)
}

func (s *configSession) tell(format string, args ...any) {
	s.env.tell(format, args...)
}

// onOpen is work on an open rollout.
type onOpen func(context.Context, *rollout.Engine, types.NamespacedName) (*rollout.Result, error)

// minding wraps work on an open rollout. If a change of configuration began the rollout, it concludes that change as well.
func (env *environment) minding(kind string, work onOpen) onOpen {
	return func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
		returned := false
		back := engine.Returning
		engine.Returning = func(ctx context.Context, of rollout.Workload, template *corev1.PodTemplateSpec, record *rollout.Record) {
			returned = true
			back(ctx, of, template, record)
		}
		result, err := env.sweeping(work)(ctx, engine, key)
		if err != nil || noteOf(result.Record) == nil {
			return result, err
		}
		env.sessionOf(engine, key.Namespace).concludeChange(ctx, kind, key, result, returned)
		return result, nil
	}
}

// concludeChange does what the command that changed the configuration would have done at the end of a rollout.
func (s *configSession) concludeChange(ctx context.Context, kind string, key types.NamespacedName, result *rollout.Result, returned bool) {
	note, record, outcome := noteOf(result.Record), result.Record, result.Outcome
	settled := configmap.Settled{Versions: map[configmap.Object]time.Time{}, Workloads: map[types.UID]bool{}}
	switch outcome {
	case rollout.Done:
		if len(note.Rest) > 0 {
			s.tell("the change of %s is for %s too; %s rolls that out", note.head(), strings.Join(note.Rest, ", "), s.rollsOut(note.head()))
		}
		settled.Versions[note.version(note.Before)] = record.StartedAt.Add(tolerated)
	case rollout.RolledBack:
		// The rollback may be somebody else's. Then this command has found it done, and nothing is given back yet.
		if !returned {
			if err := s.giveBack(ctx, note); err != nil {
				s.tell("warning: %v", err)
				return
			}
		}
		settled.Versions[note.version(note.After)] = record.StartedAt.Add(tolerated)
	default:
		return
	}
	if workload, err := s.workload(ctx, kind, key.Name); err == nil {
		settled.Workloads[workload.GetUID()] = true
	}
	s.tidy(ctx, []configmap.Kind{note.Kind}, settled)
}
