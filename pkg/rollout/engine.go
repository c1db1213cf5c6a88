package rollout

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Engine works on one workload at a time: it takes a snapshot, decides, acts, and waits for the next change.
type Engine struct {
	Client kubernetes.Interface
	// Clock shows the API server's time, since readiness is judged by the cluster's time stamps.
	Clock clock.Clock
	// FieldManager is the name under which fields are written.
	FieldManager string
	// LogLines is how many lines of a failed container's log are reported.
	LogLines int64
	// Patience is the least time that pods get if they may still become ready. If it is zero, the rollout's record gives that
	// time.
	Patience time.Duration
	// Began returns when the command began, by the Clock: older evidence proves nothing. If it is nil, the time when the work
	// begins counts.
	Began func() time.Time
	// Once says that the command looks only once, so that all evidence counts.
	Once bool
	// Wrote says that the command itself wrote what it follows.
	Wrote bool
	// WaitTerminated makes success wait until all pods that were told to end have ended.
	WaitTerminated bool
	// Emit is called for every event, never from two goroutines at once.
	Emit func(time.Time, Event)
	// Returning is called with a workload, the template that it is about to go back to, and the record of the rollout. It is
	// called before the write, and again if the write has to be repeated. It may be nil.
	Returning func(context.Context, workload.Object, *corev1.PodTemplateSpec, *Record)
	// Annotations returns further annotations, by name, for a workload that goes back to this template; live are its present
	// annotations. An annotation with an empty value is removed. It may be nil.
	Annotations func(live map[string]string, template map[string]any) map[string]string
}
