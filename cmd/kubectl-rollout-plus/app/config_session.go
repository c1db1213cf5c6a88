package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
)

// configSession is what a command needs to work with versions in one namespace.
type configSession struct {
	env       *environment
	engine    *rollout.Engine
	reader    *configReader
	store     *versionStore
	namespace string
}

func (env *environment) configSession(namespace, fieldManager string) (*configSession, error) {
	engine, err := env.engine(fieldManager, nil)
	if err != nil {
		return nil, err
	}
	return env.sessionOf(engine, namespace), nil
}

// sessionOf returns a session that uses an existing engine.
func (env *environment) sessionOf(engine *rollout.Engine, namespace string) *configSession {
	reader := &configReader{client: engine.Client, namespace: namespace, errOut: env.ErrOut}
	return &configSession{
		env: env, engine: engine, namespace: namespace, reader: reader,
		store: &versionStore{configReader: reader, clock: env.clock, fieldManager: engine.FieldManager},
	}
}

// contents reads the objects that the wires reference. It fails if one does not exist.
func (s *configSession) contents(ctx context.Context, wires []attach.Wire) (map[configmap.Object]*configmap.Content, error) {
	contents := map[configmap.Object]*configmap.Content{}
	for i := range wires {
		w := &wires[i]
		if contents[w.Head] == nil {
			found, err := s.existing(ctx, w.Head)
			if err != nil {
				return nil, err
			}
			if head, is := found.stored().Version(); is {
				return nil, fmt.Errorf("%s in namespace %q is a version, which never changes; name %s instead", w.Head, s.namespace, head)
			}
			contents[w.Head] = found.content
		}
		if err := w.Check(contents[w.Head]); err != nil {
			return nil, fmt.Errorf("in namespace %q, %w", s.namespace, err)
		}
	}
	return contents, nil
}

// existing reads an object, and explains how to create it if it does not exist.
func (s *configSession) existing(ctx context.Context, head configmap.Object) (*read, error) {
	found, err := s.reader.get(ctx, head)
	if apierrors.IsNotFound(err) {
		return nil, s.absent(head)
	}
	return found, err
}

// absent returns the error for an object that does not exist.
func (s *configSession) absent(head configmap.Object) error {
	if head.Kind == configmap.Secret {
		return fmt.Errorf("there is no secret %q in namespace %q; create it first, as with %s",
			head.Name, s.namespace, command.Quoted("kubectl create secret generic %s -n %s", head.Name, s.namespace))
	}
	return fmt.Errorf("there is no configmap %q in namespace %q; create it first, as with %s",
		head.Name, s.namespace, command.Quoted("%s create configmap %s -n %s", command.Plugin, head.Name, s.namespace))
}

// tidy updates the owners of versions and removes versions that are no longer needed. A failure is only a warning, since
// the command itself has done its work.
func (s *configSession) tidy(ctx context.Context, kinds []configmap.Kind, settled configmap.Settled) {
	if context.Cause(ctx) != nil {
		return
	}
	if err := s.store.sweep(ctx, kinds, settled); err != nil {
		s.tell("warning: %v; the next command tries again", err)
	}
}

// warnOfNoHistory prints a warning for a workload that keeps no old revisions. Its versions are deleted with them.
func (env *environment) warnOfNoHistory(workload rollout.Workload) {
	var limit *int32
	switch w := workload.(type) {
	case *appsv1.Deployment:
		limit = w.Spec.RevisionHistoryLimit
	case *appsv1.StatefulSet:
		limit = w.Spec.RevisionHistoryLimit
	case *appsv1.DaemonSet:
		limit = w.Spec.RevisionHistoryLimit
	}
	name := nameOf(workload)
	if limit == nil || *limit > 0 || env.warned[name] {
		return
	}
	env.warned[name] = true
	_, _ = fmt.Fprintf(env.ErrOut, "warning: %s has revisionHistoryLimit 0: versions go as soon as its pods leave them, and undo cannot bring any back\n", name)
}

// kindsOf returns the kinds of some objects.
func kindsOf[V any](objects map[configmap.Object]V) []configmap.Kind {
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

var errNoWire = errors.New("nothing to attach is given: use --env-from-config, --env-from-config-key or --mount-config")

// nameOf returns a workload's name as people type it, such as deployment/web.
func nameOf(workload rollout.Workload) string {
	return strings.ToLower(kindOf(workload).Kind) + "/" + workload.GetName()
}

// resultName returns a workload's name as kubectl prints it in results.
func resultName(workload rollout.Workload) string {
	return objectOf(workload).ResultName()
}
