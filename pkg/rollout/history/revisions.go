package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// earlierRevisionsAnnotation is where the Deployment controller keeps the numbers that a ReplicaSet had before its
// present one.
const earlierRevisionsAnnotation = "deployment.kubernetes.io/revision-history"

// owner is the part of a Deployment, StatefulSet or DaemonSet that a history needs.
type owner struct {
	object   *unstructured.Unstructured
	workload workload.Workload
	template map[string]any
	selector string
	// updateRevision is the name of the ControllerRevision that a StatefulSet's controller takes for the template's.
	// currentRevision is the name of the one that the StatefulSet is moving away from.
	updateRevision, currentRevision string
	// uncounted is set if the pods of its revisions are not known.
	uncounted bool
	// finished is set if the controller considers the latest rollout complete, whatever has happened to its pods since.
	finished bool
}

func newOwner(object *unstructured.Unstructured) (*owner, error) {
	// The three kinds keep their selectors in the same place.
	var selecting struct {
		Spec struct {
			Selector *metav1.LabelSelector `json:"selector"`
		} `json:"spec"`
	}
	if err := podtemplate.Convert(object, &selecting); err != nil {
		return nil, err
	}
	selector, err := metav1.LabelSelectorAsSelector(selecting.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("the selector of %s %q does not parse: %w", object.GetKind(), object.GetName(), err)
	}
	w := &owner{object: object, selector: selector.String()}
	if w.template, err = podtemplate.Of(object); err != nil {
		return nil, err
	}
	live := workload.New(object.GetKind())
	if live == nil {
		return nil, fmt.Errorf("a %s has no history of rollouts", object.GetKind())
	}
	if err := podtemplate.Convert(object, live); err != nil {
		return nil, err
	}
	w.learn(live)
	return w, nil
}

// learn notes what the workload itself shows of its revisions.
func (w *owner) learn(live workload.Object) {
	w.workload = workload.Of(live)
	observed := w.workload.ObservedGeneration >= live.GetGeneration()
	w.currentRevision = w.workload.CurrentRevision
	switch counts := &w.workload.Counts; {
	case w.workload.HasReplicaSets:
		w.finished = observed && slices.ContainsFunc(workload.ConditionsOf(live), func(c workload.Condition) bool {
			return c.Type == string(appsv1.DeploymentProgressing) && c.Reason == "NewReplicaSetAvailable"
		})
	case w.workload.HasOrdinals:
		if observed {
			w.updateRevision = w.workload.UpdateRevision
		}
		w.finished = observed && w.workload.CurrentRevision == w.workload.UpdateRevision
	default:
		// In the status, a node that failed since looks like a pod that is not ready yet, and some node always fails.
		w.finished = observed && counts.Updated >= counts.Desired
	}
}

// ofReplicaSets returns the history of a Deployment.
func (w *owner) ofReplicaSets(sets []unstructured.Unstructured) (*History, error) {
	var revisions []Revision
	for i := range sets {
		if !metav1.IsControlledBy(&sets[i], w.object) {
			continue
		}
		template, err := podtemplate.Of(&sets[i])
		if err != nil {
			return nil, err
		}
		var set appsv1.ReplicaSet
		if err := podtemplate.Convert(&sets[i], &set); err != nil {
			return nil, err
		}
		r := newRevision(&set, workload.RevisionOf(&set), template)
		r.Ready, r.Total = set.Status.ReadyReplicas, set.Status.Replicas
		_, r.reused = set.Annotations[earlierRevisionsAnnotation]
		if r.ChangeCause == "" {
			// Like kubectl, fall back to the template's change cause.
			r.ChangeCause = set.Spec.Template.Annotations[workload.ChangeCauseAnnotation]
		}
		revisions = append(revisions, r)
	}
	return w.history(revisions), nil
}

// ofControllerRevisions returns the history of a StatefulSet or DaemonSet.
func (w *owner) ofControllerRevisions(controllerRevisions []appsv1.ControllerRevision, pods []corev1.Pod) (*History, error) {
	var revisions []Revision
	for i := range controllerRevisions {
		of := &controllerRevisions[i]
		if !metav1.IsControlledBy(of, w.object) {
			continue
		}
		template, err := podtemplate.RawOfRevision(of)
		if err != nil {
			return nil, err
		}
		r := newRevision(of, of.Revision, template)
		r.Ready, r.Total = w.countPods(of, pods)
		r.Uncounted = w.uncounted
		r.renewed(controllerWrote(of.ManagedFields))
		revisions = append(revisions, r)
	}
	return w.history(revisions), nil
}

// countPods counts the pods of a ControllerRevision.
func (w *owner) countPods(of *appsv1.ControllerRevision, pods []corev1.Pod) (ready, total int32) {
	label := w.workload.RevisionLabel(of)
	for i := range pods {
		pod := &pods[i]
		if pod.Labels[appsv1.ControllerRevisionHashLabelKey] != label || !metav1.IsControlledBy(pod, w.object) || !workload.IsActive(pod) {
			continue
		}
		total++
		if isReady, _ := workload.ReadySince(pod); isReady {
			ready++
		}
	}
	return ready, total
}

func newRevision(of metav1.Object, number int64, template map[string]any) Revision {
	r := Revision{
		Number: number, UID: of.GetUID(), Created: of.GetCreationTimestamp().Time, Template: template, State: StateOld,
		ChangeCause: of.GetAnnotations()[workload.ChangeCauseAnnotation], Name: of.GetName(),
	}
	r.Images, r.Failed = podtemplate.Images(template), workload.HasFailed(of, number)
	return r
}

// renewed records when a ControllerRevision was gone back to: it counts as created then. That moment is not known of a
// ReplicaSet, since its controller writes it with every change of its size.
func (r *Revision) renewed(at time.Time) {
	if at.After(r.Created) {
		r.Created, r.reused = at, false
	}
}

// history sorts the revisions and sets what each is to the workload.
func (w *owner) history(revisions []Revision) *History {
	slices.SortStableFunc(revisions, func(a, b Revision) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), a.Created.Compare(b.Created))
	})
	// Of two revisions with the same number, the later counts. No controller makes such revisions.
	slices.Reverse(revisions)
	revisions = slices.CompactFunc(revisions, func(a, b Revision) bool { return a.Number == b.Number })
	slices.Reverse(revisions)
	target, serving := w.target(revisions), (*Revision)(nil)
	writers := authors(w.object.GetManagedFields())
	var before *Revision
	for i := range revisions {
		r := &revisions[i]
		// A revision older than one with a lower number was gone back to, which makes no new ReplicaSet: the moment is not known.
		r.reused = r.reused || slices.ContainsFunc(revisions[:i], func(earlier Revision) bool { return earlier.Created.After(r.Created) })
		if r.reused && before != nil {
			r.MadeAfter = before.Created
			if before.MadeAfter.After(before.Created) {
				r.MadeAfter = before.MadeAfter
			}
		}
		r.ChangedBy = changedBy(writers, r, before, r == target)
		before = r
		if r != target && r.Total > 0 && (serving == nil || moreOf(r, serving)) {
			serving = r
		}
	}
	if w.uncounted {
		serving = w.leaving(revisions, target)
	}
	w.tell(target, serving)
	return &History{Template: w.template, Revisions: revisions}
}

// tell sets the states of the template's revision, and of the one that serves meanwhile. Either may be nil.
func (w *owner) tell(target, serving *Revision) {
	if serving != nil {
		serving.State = StateStable
	}
	if target == nil {
		return
	}
	target.State = StateNew
	if serving == nil && (w.finished || target.Ready >= w.workload.Counts.Desired) {
		target.State = StateCurrent
	}
}

// leaving returns the revision that serves besides the template's, as far as the workload itself shows, or nil if there
// is none. The pods of a DaemonSet are of the newest two revisions.
func (w *owner) leaving(revisions []Revision, target *Revision) *Revision {
	if target != nil && w.finished {
		return nil
	}
	for i := range slices.Backward(revisions) {
		if r := &revisions[i]; r != target && (w.currentRevision == "" || r.Name == w.currentRevision) {
			return r
		}
	}
	return nil
}

// moreOf reports whether a serves more than b. It returns true for equals, since a is the later one.
func moreOf(a, b *Revision) bool {
	return cmp.Or(cmp.Compare(a.Ready, b.Ready), cmp.Compare(a.Total, b.Total)) >= 0
}

// target returns the revision of the workload's template, or nil if the controller has made none yet.
func (w *owner) target(revisions []Revision) *Revision {
	wanted := podtemplate.Written(w.template)
	for i := range slices.Backward(revisions) {
		if r := &revisions[i]; w.updateRevision != "" && r.Name == w.updateRevision ||
			w.updateRevision == "" && podtemplate.SameJSON(podtemplate.Written(r.Template), wanted) {
			return r
		}
	}
	return nil
}
