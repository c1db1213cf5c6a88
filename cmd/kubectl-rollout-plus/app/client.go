package app

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// configure completes the configuration of every client.
func (env *environment) configure(config *rest.Config) *rest.Config {
	config.QPS, config.Burst = 50, 100
	config.WarningHandler = env.shared.warnings
	config.Wrap(env.clock.watch)
	config.Wrap(env.shared.logs.traffic)
	if env.ctx != nil {
		config.Wrap(until(env.ctx))
	}
	return config
}

// until makes requests without a deadline end with the command. kubectl's libraries set none, so an API server that does
// not answer would otherwise block a Ctrl-C.
func until(ctx context.Context) transport.WrapperFunc {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			if request.Context().Done() != nil {
				return next.RoundTrip(request)
			}
			response, err := next.RoundTrip(request.WithContext(ctx))
			if cause := context.Cause(ctx); err != nil && cause != nil {
				err = fmt.Errorf("%w before it had answered", cause)
			}
			return response, err
		})
	}
}

// engine returns the engine of one command.
func (env *environment) engine(fieldManager string, emit func(time.Time, rollout.Event)) (*rollout.Engine, error) {
	config, err := env.factory.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	// The controllers watch in protobuf as well. Then the API server encodes each change only once.
	if env.shared.logs.level < bodiesLevel { // at that log level, people want to read the bodies
		config.ContentType = runtime.ContentTypeProtobuf
		config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	}
	connection, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	connection.Transport = newCredentialPacer(connection.Transport, clock.RealClock{})
	client, err := kubernetes.NewForConfigAndClient(config, connection)
	if err != nil {
		return nil, err
	}
	engine := &rollout.Engine{Client: client, Clock: env.clock, FieldManager: fieldManager, LogLines: rollout.LogLines, Emit: emit, Began: env.clock.Began}
	engine.Returning = restore.OnReturn(engine, env.configEvent)
	return engine, nil
}

// currentNamespace returns the namespace of the manifest that was read, or else that of the flags.
func (env *environment) currentNamespace() (string, error) {
	if env.namespace != "" {
		return env.namespace, nil
	}
	namespace, _, err := env.factory.ToRawKubeConfigLoader().Namespace()
	return namespace, err
}

// serverClock is a clock with the API server's time. Readiness is judged by the cluster's time stamps, and a laptop's clock
// may be minutes off.
type serverClock struct {
	clock.RealClock
	// made is when the process began, by this machine's clock.
	made   time.Time
	mu     sync.Mutex
	offset time.Duration
}

func newServerClock() *serverClock { return &serverClock{made: time.Now()} }

// Began returns when the process began, in the API server's time as far as that is known by now.
func (c *serverClock) Began() time.Time { return c.at(c.made) }

// Now returns this machine's time, corrected if it is far from the API server's.
func (c *serverClock) Now() time.Time { return c.at(c.RealClock.Now()) }

func (c *serverClock) at(moment time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.offset.Abs() < store.ClockTolerance {
		return moment
	}
	return moment.Add(c.offset)
}

// Since returns the time from then to Now.
func (c *serverClock) Since(then time.Time) time.Duration { return c.Now().Sub(then) }

// watch updates the offset from the Date header of every answer.
func (c *serverClock) watch(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(request)
		if err == nil {
			if date, dateErr := http.ParseTime(response.Header.Get("Date")); dateErr == nil {
				c.mu.Lock()
				c.offset = date.Sub(c.RealClock.Now())
				c.mu.Unlock()
			}
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }
