package cli

import (
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/apiserver"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// configure completes the configuration of every client.
func (env *Env) configure(config *rest.Config) *rest.Config {
	config.QPS, config.Burst = 50, 100
	config.WarningHandler = env.Shared.warnings
	config.Wrap(env.Clock.Watch)
	config.Wrap(env.Shared.logs.Traffic)
	if env.ctx != nil {
		config.Wrap(apiserver.Until(env.ctx))
	}
	return config
}

// Engine returns the engine of one command.
func (env *Env) Engine(fieldManager string, emit func(time.Time, rollout.Event)) (*rollout.Engine, error) {
	config, err := env.Factory.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	// The controllers watch in protobuf as well. Then the API server encodes each change only once.
	if env.Shared.logs.Level < apiserver.BodiesLevel { // at that log level, people want to read the bodies
		config.ContentType = runtime.ContentTypeProtobuf
		config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	}
	connection, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	connection.Transport = apiserver.NewCredentialPacer(connection.Transport, clock.RealClock{})
	client, err := kubernetes.NewForConfigAndClient(config, connection)
	if err != nil {
		return nil, err
	}
	engine := &rollout.Engine{Client: client, Clock: env.Clock, FieldManager: fieldManager, LogLines: rollout.LogLines, Emit: emit, Began: env.Clock.Began}
	engine.Returning = restore.OnReturn(engine, env.ConfigEvent)
	return engine, nil
}

// CurrentNamespace returns the namespace of the manifest that was read, or else that of the flags.
func (env *Env) CurrentNamespace() (string, error) {
	if env.namespace != "" {
		return env.namespace, nil
	}
	namespace, _, err := env.Factory.ToRawKubeConfigLoader().Namespace()
	return namespace, err
}
