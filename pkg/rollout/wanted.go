package rollout

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// wanted is a Deployment as it is to be in the end.
type wanted struct {
	typed    *appsv1.Deployment
	template podtemplate.Template
	cause    string
	// drained describes the preStop hooks that were added, or is nil if none were asked for.
	drained *Drained
	// manifest is set if the whole Deployment comes from a manifest. raw is what the API server makes of that manifest.
	manifest *manifest
	raw      *unstructured.Unstructured
}

// want returns the Deployment that a change results in.
func (s *session) want(ctx context.Context, live *liveDeployment, snapshot *Snapshot, change Change) (*wanted, error) {
	w := &wanted{cause: change.Cause}
	var err error
	switch {
	case change.Manifest != nil:
		return w, s.wantManifest(ctx, w, live, change)
	case change.ToRevision != nil:
		var own string
		if w.template, own, err = s.templateOfRevision(ctx, snapshot, *change.ToRevision); change.OwnCause {
			w.cause = own
		}
	default:
		w.template, err = podtemplate.Of(live.raw)
	}
	if err != nil {
		return nil, err
	}
	for _, image := range change.Images {
		if err := w.template.SetImage(image); err != nil {
			return nil, &OptionError{Option: "image", Err: fmt.Errorf("deployment %q in namespace %q: %w", s.key.Name, s.key.Namespace, err)}
		}
	}
	for _, env := range change.Env {
		if err := w.template.SetEnv(env); err != nil {
			return nil, &OptionError{Option: "env", Err: fmt.Errorf("deployment %q in namespace %q: %w", s.key.Name, s.key.Namespace, err)}
		}
	}
	if change.Drain > 0 {
		w.drained = new(AddDrain(w.template, change.Drain))
	}
	if change.Restart {
		w.template.SetRestarted(podtemplate.RestartedAt(&live.typed.Spec.Template, s.Clock.Now()))
	}
	if change.Rewrite != nil {
		if err := change.Rewrite(w.template); err != nil {
			return nil, err
		}
	}
	w.typed = live.typed.DeepCopy()
	template, err := w.template.Typed()
	if err != nil {
		return nil, err
	}
	w.typed.Spec.Template = *template
	return w, nil
}

// templateOfRevision returns the pod template of an earlier revision, and its change cause. 0 means the revision before
// the present one. The messages are those of kubectl rollout undo.
func (s *session) templateOfRevision(ctx context.Context, snapshot *Snapshot, revision int64) (template podtemplate.Template, cause string, err error) {
	found := s.replicaSetOf(snapshot, revision)
	if found == nil && revision == 0 {
		return nil, "", fmt.Errorf("no rollout history found for deployment %q in namespace %q; there is nothing to go back to", s.key.Name, s.key.Namespace)
	}
	if found == nil {
		return nil, "", fmt.Errorf("unable to find specified revision %d in history: deployment %q in namespace %q; "+
			"'kubectl rollout-plus history deployment/%s -n %s' lists the revisions",
			revision, s.key.Name, s.key.Namespace, s.key.Name, s.key.Namespace)
	}
	object, err := kube.GetRaw(ctx, s.Client, "replicasets", s.key.Namespace, found.Name)
	if err != nil {
		return nil, "", err
	}
	template, err = podtemplate.Of(object)
	return template, object.GetAnnotations()[workload.ChangeCauseAnnotation], err
}

// replicaSetOf returns the ReplicaSet of an earlier revision, or nil if there is none. 0 means the revision before the
// present one. For 0, it skips revisions that are known to have failed, and emits a message about them.
func (s *session) replicaSetOf(snapshot *Snapshot, revision int64) *appsv1.ReplicaSet {
	var found *appsv1.ReplicaSet
	var failed []int64
	current := snapshot.Current()
	for _, rs := range snapshot.ReplicaSets {
		switch number := workload.RevisionOf(rs); {
		case revision > 0 && number == revision:
			found = rs
		case revision == 0 && rs != current && workload.HasFailed(rs, number):
			failed = append(failed, number)
		case revision == 0 && rs != current && (found == nil || number > workload.RevisionOf(found)):
			found = rs
		}
	}
	if skipped := Skipped(failed); skipped != "" {
		s.emit(ProgressEvent{Message: skipped})
	}
	return found
}

// known refuses a manifest that changes only fields of the pod template which this client does not know. The controller
// may know them, and would replace the pods without any step.
func (w *wanted) known(live *unstructured.Unstructured) error {
	if w.manifest == nil {
		return nil
	}
	template, err := podtemplate.Of(live)
	if err != nil || podtemplate.SameJSON(map[string]any(template), map[string]any(w.template)) {
		return err
	}
	return fmt.Errorf("the manifest changes only fields of the pod template of deployment %q in namespace %q that this version of "+
		"kubectl rollout-plus does not know; a newer one may roll them out", w.typed.Name, w.typed.Namespace)
}

// fill adds the wanted template and its cause to the patch that begins the rollout.
func (w *wanted) fill(p *patch) {
	p.template(w.template)
	p.annotate(workload.ChangeCauseAnnotation, w.cause)
}

func sameSettings(a, b Settings) bool { return apiequality.Semantic.DeepEqual(a, b) }
