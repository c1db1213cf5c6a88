package app

import (
	"context"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/klog/v2"
)

// secretClient is a client of Secrets that logs no values, whatever -v says.
type secretClient struct{ typedcorev1.SecretInterface }

func secretsOf(client kubernetes.Interface, namespace string) secretClient {
	return secretClient{client.CoreV1().Secrets(namespace)}
}

// Get reads a Secret.
func (c secretClient) Get(ctx context.Context, name string, options metav1.GetOptions) (*corev1.Secret, error) {
	return c.SecretInterface.Get(withoutBodies(ctx), name, options)
}

// List reads Secrets.
func (c secretClient) List(ctx context.Context, options metav1.ListOptions) (*corev1.SecretList, error) {
	return c.SecretInterface.List(withoutBodies(ctx), options)
}

// Watch watches Secrets.
func (c secretClient) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return c.SecretInterface.Watch(withoutBodies(ctx), options)
}

// Create makes a Secret.
func (c secretClient) Create(ctx context.Context, secret *corev1.Secret, options metav1.CreateOptions) (*corev1.Secret, error) {
	return c.SecretInterface.Create(withoutBodies(ctx), secret, options)
}

// Patch changes a Secret.
func (c secretClient) Patch(ctx context.Context, name string, kind types.PatchType, body []byte, options metav1.PatchOptions, sub ...string,
) (*corev1.Secret, error) {
	return c.SecretInterface.Patch(withoutBodies(ctx), name, kind, body, options, sub...)
}

// bodiesLevel is the -v from which client-go logs what requests and answers hold.
const bodiesLevel = 8

// withoutBodies is a context for requests whose bodies are not to be logged.
func withoutBodies(ctx context.Context) context.Context {
	logger := klog.FromContext(ctx)
	if logger.GetSink() == nil { // one that discards everything
		return ctx
	}
	return klog.NewContext(ctx, logger.WithSink(bodiless{logger.GetSink()}))
}

// bodiless is a log without what client-go logs of bodies.
type bodiless struct{ logr.LogSink }

// Enabled tells whether messages of a level are logged.
func (b bodiless) Enabled(level int) bool { return level < bodiesLevel && b.LogSink.Enabled(level) }

// WithName is the log with a name.
func (b bodiless) WithName(name string) logr.LogSink { return bodiless{b.LogSink.WithName(name)} }

// WithValues is the log with values.
func (b bodiless) WithValues(values ...any) logr.LogSink {
	return bodiless{b.LogSink.WithValues(values...)}
}
