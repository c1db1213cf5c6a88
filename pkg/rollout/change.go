package rollout

import (
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

// Change is what a rollout changes in a workload.
type Change struct {
	Images []podtemplate.ImageChange
	Env    []podtemplate.EnvChange
	// ToRevision is an earlier revision whose pod template is to run again. 0 means the revision before the present
	// one.
	ToRevision *int64
	// Leaving is the pod template that ToRevision 0 leaves. Nil means the one that Start reads first. If the workload
	// has another template when the rollout is to begin, nothing begins.
	Leaving *corev1.PodTemplateSpec
	// Manifest is a workload to apply (server-side apply). Force takes over fields that others manage.
	Manifest *unstructured.Unstructured
	Force    bool
	// Drain is how long a preStop hook sleeps, in whole seconds. It is added to containers without a hook. 0 adds none.
	Drain time.Duration
	// Restart replaces all pods without another change, as kubectl rollout restart does.
	Restart bool
	// Rewrite edits the pod template after all other changes.
	Rewrite Rewrite
	// Cause becomes the revision's change-cause. If it is empty, the new revision has none: the present one's is not
	// kept. With OwnCause, the cause is the one that the revision of ToRevision had.
	Cause    string
	OwnCause bool
	// Note is kept in the record while the rollout is open.
	Note json.RawMessage
}

// DryRun is how far a command goes.
type DryRun int

// A command can do its work, only show what it would do, or also ask the API server whether it would accept that.
const (
	DryRunNone DryRun = iota
	DryRunClient
	DryRunServer
)

// StartOptions are the options of a rollout. Limits that are nil are the workload's own.
type StartOptions struct {
	Steps                    plan.Steps
	MaxSurge, MaxUnavailable *intstr.IntOrString
	Hold                     time.Duration
	OnFailure                plan.OnFailure
	DryRun                   DryRun
	// SkipChecks begins the rollout without the checks.
	SkipChecks bool
	// Foreseen are objects that the checks take to exist. They are for callers that write these objects before the
	// rollout begins.
	Foreseen []preflight.Foreseen
}
