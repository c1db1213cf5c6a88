package store

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/event"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Session is what a command needs to work with versions in one namespace.
type Session struct {
	Engine    *rollout.Engine
	Reader    *Reader
	Versions  *Versions
	Namespace string
	// Emit takes what people and programs are told.
	Emit event.Sink
}

// NewSession returns a session that uses an existing engine.
func NewSession(engine *rollout.Engine, namespace string, emit event.Sink) *Session {
	reader := &Reader{Client: engine.Client, Namespace: namespace, Emit: emit}
	return &Session{
		Engine: engine, Namespace: namespace, Emit: emit, Reader: reader,
		Versions: &Versions{Reader: reader, Clock: engine.Clock, FieldManager: engine.FieldManager},
	}
}

// WireContents reads the objects that the wires reference. It fails if one does not exist.
func (s *Session) WireContents(ctx context.Context, wires []attach.Wire) (map[configmap.Object]*configmap.Content, error) {
	contents := map[configmap.Object]*configmap.Content{}
	for i := range wires {
		w := &wires[i]
		if contents[w.Head] == nil {
			found, err := s.Existing(ctx, w.Head)
			if err != nil {
				return nil, err
			}
			if head, is := found.Stored().Version(); is {
				return nil, fmt.Errorf("%s in namespace %q is a version, which never changes; name %s instead", w.Head, s.Namespace, head)
			}
			contents[w.Head] = found.Content
		}
		if err := w.Check(contents[w.Head]); err != nil {
			return nil, fmt.Errorf("in namespace %q, %w", s.Namespace, err)
		}
	}
	return contents, nil
}

// Existing reads an object, and explains how to create it if it does not exist.
func (s *Session) Existing(ctx context.Context, head configmap.Object) (*State, error) {
	found, err := s.Reader.Get(ctx, head)
	if apierrors.IsNotFound(err) {
		return nil, s.Absent(head)
	}
	return found, err
}

// Absent returns the error for an object that does not exist.
func (s *Session) Absent(head configmap.Object) error {
	if head.Kind == configmap.Secret {
		return fmt.Errorf("there is no secret %q in namespace %q; create it first, as with %s",
			head.Name, s.Namespace, command.Quoted("kubectl create secret generic %s -n %s", head.Name, s.Namespace))
	}
	return fmt.Errorf("there is no configmap %q in namespace %q; create it first, as with %s",
		head.Name, s.Namespace, command.Quoted("%s create configmap %s -n %s", command.Plugin, head.Name, s.Namespace))
}

// Tidy updates the owners of versions and removes versions that are no longer needed. A failure is only a warning, since
// the command itself has done its work.
func (s *Session) Tidy(ctx context.Context, kinds []configmap.Kind, settled configmap.Settled) {
	if context.Cause(ctx) != nil {
		return
	}
	if err := s.Versions.Sweep(ctx, kinds, settled); err != nil {
		s.Emit.Note("warning: %v; the next command tries again", err)
	}
}

// KindsOf returns the kinds of some objects.
func KindsOf[V any](objects map[configmap.Object]V) []configmap.Kind {
	var kinds []configmap.Kind
	for _, kind := range []configmap.Kind{configmap.ConfigMap, configmap.Secret} {
		for object := range objects {
			if object.Kind == kind {
				kinds = append(kinds, kind)
				break
			}
		}
	}
	return kinds
}

// WarnOfNoHistory emits a warning for a workload that keeps no old revisions. Its versions are deleted with them.
func (s *Session) WarnOfNoHistory(of workload.Object) {
	var limit *int32
	switch w := of.(type) {
	case *appsv1.Deployment:
		limit = w.Spec.RevisionHistoryLimit
	case *appsv1.StatefulSet:
		limit = w.Spec.RevisionHistoryLimit
	case *appsv1.DaemonSet:
		limit = w.Spec.RevisionHistoryLimit
	}
	if limit == nil || *limit > 0 {
		return
	}
	s.Emit.NoteOnce("warning: %s has revisionHistoryLimit 0: versions go as soon as its pods leave them, and undo cannot bring any back",
		workload.NameOf(of))
}

// Workload reads a workload. It returns nil for a kind that this program does not roll out.
func (s *Session) Workload(ctx context.Context, kind, name string) (workload.Object, error) {
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet":
		return s.Engine.Workload(ctx, kind, types.NamespacedName{Namespace: s.Namespace, Name: name})
	}
	return nil, nil
}

// WarnApplied emits a warning before a write if a tool applies the object's manifest, since the tool will apply it again.
func (s *Session) WarnApplied(h *Live) {
	if h.State == nil {
		return
	}
	if applier := fieldmanager.AppliedBy(&h.Meta); applier != nil {
		s.Emit.NoteOnce("Warning: %s", applier.DataWarning(fmt.Sprintf("%s in namespace %q", h.Object, s.Namespace)))
	}
}
