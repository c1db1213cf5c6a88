package configuration

import (
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// ConfigSession is a session of a command, with what the command prints to.
type ConfigSession struct {
	*store.Session
	Env *cli.Env
}

// NewSession returns a session in a namespace, with an engine of its own.
func NewSession(env *cli.Env, namespace, fieldManager string) (*ConfigSession, error) {
	engine, err := env.Engine(fieldManager, nil)
	if err != nil {
		return nil, err
	}
	return sessionOf(env, engine, namespace), nil
}

// sessionOf returns a session that uses an existing engine.
func sessionOf(env *cli.Env, engine *rollout.Engine, namespace string) *ConfigSession {
	return &ConfigSession{Session: store.NewSession(engine, namespace, env.ConfigEvent), Env: env}
}

// Tell prints a line for people to standard error.
func (s *ConfigSession) Tell(format string, args ...any) {
	s.Env.Tell(format, args...)
}

// CurrentSession returns a session in the namespace of the flags.
func CurrentSession(env *cli.Env) (*ConfigSession, error) {
	namespace, err := env.CurrentNamespace()
	if err != nil {
		return nil, err
	}
	return NewSession(env, namespace, cli.DefaultFieldManager)
}
