package app

import (
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/event"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// configSession is a session of a command, with what the command prints to.
type configSession struct {
	*store.Session
	env *environment
}

func newSession(env *environment, namespace, fieldManager string) (*configSession, error) {
	engine, err := env.engine(fieldManager, nil)
	if err != nil {
		return nil, err
	}
	return sessionOf(env, engine, namespace), nil
}

// sessionOf returns a session that uses an existing engine.
func sessionOf(env *environment, engine *rollout.Engine, namespace string) *configSession {
	return &configSession{Session: store.NewSession(engine, namespace, env.configEvent), env: env}
}

// configEvent prints what happens to configuration.
func (env *environment) configEvent(happened event.Event) {
	switch e := happened.(type) {
	case event.Note:
		if e.Once {
			if env.warned[e.Text] {
				return
			}
			env.warned[e.Text] = true
		}
		env.tell("%s", e.Text)
	case event.Written:
		if events := env.eventsOf(configObject(e.Namespace, e.Object)); events != nil {
			events.Config(env.clock.Now(), string(e.Change), e.Hash)
		}
	}
}

// configObject names a ConfigMap or Secret in events.
func configObject(namespace string, object configmap.Object) printers.Object {
	return printers.Object{APIVersion: "v1", Kind: string(object.Kind), Namespace: namespace, Name: object.Name}
}

func (s *configSession) tell(format string, args ...any) {
	s.env.tell(format, args...)
}
