package rollout

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// wanted is a workload as it is to be in the end.
type wanted struct {
	typed    workload.Object
	template podtemplate.Template
	cause    string
	// drained describes the preStop hooks that were added, or is nil if none were asked for.
	drained *Drained
	// manifest is set if the whole workload comes from a manifest. raw is what the API server makes of that manifest.
	manifest *manifest
	raw      *unstructured.Unstructured
}

// want returns the workload that a change results in.
func (s *session) want(ctx context.Context, live *liveWorkload, snapshot *Snapshot, change Change) (*wanted, error) {
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
	if w.drained, err = change.edit(w.template, live.typed, s.Clock.Now()); err != nil {
		return nil, err
	}
	w.typed, _ = live.typed.DeepCopyObject().(workload.Object)
	template, err := w.template.Typed()
	if err != nil {
		return nil, err
	}
	*workload.TemplateOf(w.typed) = *template
	return w, nil
}

// edit makes the edits of a change in a workload's pod template. It returns the preStop hooks that it added, or nil if none
// were asked for.
func (c *Change) edit(template podtemplate.Template, live workload.Object, now time.Time) (drained *Drained, err error) {
	refused := func(option string, err error) error {
		err = fmt.Errorf("%s %q in namespace %q: %w", workload.ResourceOf(live), live.GetName(), live.GetNamespace(), err)
		return &plan.OptionError{Option: option, Err: err}
	}
	for _, image := range c.Images {
		if err := template.SetImage(image); err != nil {
			return nil, refused("image", err)
		}
	}
	for _, env := range c.Env {
		if err := template.SetEnv(env); err != nil {
			return nil, refused("env", err)
		}
	}
	if c.Drain > 0 {
		drained = new(AddDrain(template, c.Drain))
	}
	if c.Restart {
		template.SetRestarted(podtemplate.RestartedAt(workload.TemplateOf(live), now))
	}
	if c.Rewrite != nil {
		err = c.Rewrite(template)
	}
	return drained, err
}

// onlyRewrites reports whether the change consists of its Rewrite alone, as an edit of configuration does.
func (c *Change) onlyRewrites() bool {
	return len(c.Images)+len(c.Env) == 0 && c.ToRevision == nil && c.Manifest == nil && c.Drain == 0 && !c.Restart
}

// templateOfRevision returns the pod template of an earlier revision, and its change cause. 0 means the revision before
// the present one. The messages are those of kubectl rollout undo.
func (s *session) templateOfRevision(ctx context.Context, snapshot *Snapshot, revision int64) (template podtemplate.Template, cause string, err error) {
	if !s.hasReplicaSets() {
		return s.templateOfControllerRevision(ctx, snapshot.Workload, revision)
	}
	found := s.replicaSetOf(snapshot, revision)
	if found == nil {
		return nil, "", errNoRevision(snapshot.Workload, revision)
	}
	object, err := kube.GetRaw(ctx, s.Client, "replicasets", s.key.Namespace, found.Name)
	if err != nil {
		return nil, "", err
	}
	template, err = podtemplate.Of(object)
	return template, object.GetAnnotations()[workload.ChangeCauseAnnotation], err
}

// templateOfControllerRevision does what templateOfRevision does, for a StatefulSet or DaemonSet.
func (s *session) templateOfControllerRevision(ctx context.Context, w workload.Object, number int64) (podtemplate.Template, string, error) {
	revisions, err := s.revisionsOf(ctx, w)
	if err != nil {
		return nil, "", err
	}
	found, failed := pickRevision(revisions, newestOf(revisions), number, func(r *appsv1.ControllerRevision) int64 { return r.Revision })
	s.tellSkipped(failed)
	if found == nil {
		return nil, "", errNoRevision(w, number)
	}
	template, err := podtemplate.RawOfRevision(found)
	return template, found.Annotations[workload.ChangeCauseAnnotation], err
}

// replicaSetOf returns the ReplicaSet of an earlier revision, or nil if there is none. 0 means the revision before the
// present one. For 0, it skips revisions that are known to have failed, and emits a message about them.
func (s *session) replicaSetOf(snapshot *Snapshot, revision int64) *appsv1.ReplicaSet {
	found, failed := pickRevision(snapshot.ReplicaSets, snapshot.Current(), revision,
		func(rs *appsv1.ReplicaSet) int64 { return workload.RevisionOf(rs) })
	s.tellSkipped(failed)
	return found
}

// tellSkipped emits a message about revisions that are skipped, since they are known to have failed.
func (s *session) tellSkipped(failed []int64) {
	if skipped := Skipped(failed); skipped != "" {
		s.emit(ProgressEvent{Message: skipped})
	}
}

// pickRevision returns the revision with a number, or the zero value if there is none. 0 means the one before the newest. For 0,
// it skips revisions that are known to have failed, and returns their numbers.
func pickRevision[T interface {
	comparable
	metav1.Object
}](all []T, newest T, wanted int64, numberOf func(T) int64) (found T, failed []int64) {
	var none T
	for _, revision := range all {
		switch number := numberOf(revision); {
		case wanted > 0 && number == wanted:
			found = revision
		case wanted > 0 || revision == newest:
		case workload.HasFailed(revision, number):
			failed = append(failed, number)
		case found == none || number > numberOf(found):
			found = revision
		}
	}
	return found, failed
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
	return fmt.Errorf("the manifest changes only fields of the pod template of %s %q in namespace %q that this version of "+
		"kubectl rollout-plus does not know; a newer one may roll them out", workload.ResourceOf(w.typed), w.typed.GetName(), w.typed.GetNamespace())
}

// fill adds the wanted template and its cause to the patch that begins the rollout.
func (w *wanted) fill(p *patch) {
	p.template(w.template)
	p.annotate(workload.ChangeCauseAnnotation, w.cause)
}

func sameSettings(a, b Settings) bool { return apiequality.Semantic.DeepEqual(a, b) }
