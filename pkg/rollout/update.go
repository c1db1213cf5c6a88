package rollout

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/jsonpatch"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Update is what an open rollout of a StatefulSet or DaemonSet borrows, and what it has done so far. A StatefulSet is
// held at a step by its partition. A DaemonSet gets the strategy OnDelete, and the rollout deletes its pods in waves.
// Raising minReadySeconds is no alternative: all pods of the DaemonSet would become unavailable, and its controller
// would replace them at once.
type Update struct {
	// Strategy is the workload's own update strategy, including fields that this client does not know.
	Strategy json.RawMessage `json:"strategy"`
	// Final is the strategy that the workload gets in the end, if the rollout's manifest has changed it.
	Final json.RawMessage `json:"final,omitempty"`
	// Partition is the partition of a StatefulSet that the rollout has written last. It is nil for a DaemonSet.
	Partition *int32 `json:"partition,omitempty"`
	// Paced is set if fewer pods may be missing than the workload's own strategy allows. On the way back, the strategy
	// then has this limit until the old version is complete.
	Paced bool `json:"paced,omitempty"`
	// Returning is the partition of a StatefulSet while the old version returns to pods that its own partition keeps.
	// It is nil if none of those pods runs the version that is given up.
	Returning *int32 `json:"returning,omitempty"`
	// Wave holds the pods of a DaemonSet that were chosen last to be replaced. From then on every reader of the record
	// counts them as gone.
	Wave []types.UID `json:"wave,omitempty"`
	// Reclaimed is how often the strategy was written again because others had changed it.
	Reclaimed int `json:"reclaimed,omitempty"`
}

// wanted returns the strategy that the workload has without the rollout.
func (u *Update) wanted() json.RawMessage {
	if u.Final != nil {
		return u.Final
	}
	return u.Strategy
}

// back returns the update of a rollout that goes back. If the rollout's manifest has changed the strategy, back adds the
// strategy from before to a patch.
func (u *Update) back(p *patch) *Update {
	back := *u
	if u.Final != nil {
		p.set("/spec/updateStrategy", u.Strategy)
		back.Final = nil
	}
	return &back
}

// kept returns how many pods of a StatefulSet keep their version by its own partition.
func (u *Update) kept() (int32, error) {
	var own appsv1.StatefulSetUpdateStrategy
	if err := json.Unmarshal(u.wanted(), &own); err != nil {
		return 0, fmt.Errorf("annotation %s has no update strategy: %w; set it by hand", Annotation, err)
	}
	return workload.PartitionOf(&appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{UpdateStrategy: own}}), nil
}

// hold adds to a patch the fields that hold a workload at its step. For a StatefulSet it writes the partition alone:
// the other fields belong to those who set them.
func (u *Update) hold(p *patch, workload workload.Object) {
	field := onDelete()
	if u.Partition != nil {
		field = partitionOf(workload, *u.Partition)
	}
	p.hold(field)
}

// onDelete is the strategy that holds a DaemonSet.
func onDelete() heldField {
	return heldField{[]string{"spec", "updateStrategy"}, map[string]any{"type": string(appsv1.OnDeleteDaemonSetStrategyType)}}
}

// partitionOf is the field that holds a StatefulSet.
func partitionOf(w workload.Object, partition int32) heldField {
	if set, is := w.(*appsv1.StatefulSet); is && set.Spec.UpdateStrategy.RollingUpdate == nil {
		return heldField{[]string{"spec", "updateStrategy", "rollingUpdate"}, map[string]any{"partition": partition}}
	}
	return heldField{[]string{"spec", "updateStrategy", "rollingUpdate", "partition"}, partition}
}

// giveBack adds to a patch the fields that give a workload its own strategy back. With a limit or Returning, the
// workload gets the plan's limit or the lower partition until the old version is complete. Of a StatefulSet's strategy
// only these fields are written: what others have set meanwhile stays.
func (u *Update) giveBack(p *patch, workload workload.Object, limit *intstr.IntOrString) error {
	kept, err := u.kept()
	if err != nil {
		return err
	}
	if u.Returning != nil {
		kept = *u.Returning
	}
	if u.Partition != nil {
		p.hold(partitionOf(workload, kept))
	} else {
		p.set("/spec/updateStrategy", u.wanted())
	}
	if limit != nil {
		p.set("/spec/updateStrategy/rollingUpdate/maxUnavailable", limit)
	}
	return nil
}

// restore adds to a patch the fields that give a workload its own limit and partition back at the end of its way back.
func (u *Update) restore(p *patch, workload workload.Object) error {
	if u.Returning != nil {
		kept, err := u.kept()
		if err != nil {
			return err
		}
		p.hold(partitionOf(workload, kept))
	}
	if !u.Paced {
		return nil
	}
	var own struct {
		RollingUpdate map[string]any `json:"rollingUpdate"`
	}
	if err := json.Unmarshal(u.Strategy, &own); err != nil {
		return err
	}
	if limit, is := own.RollingUpdate["maxUnavailable"]; is {
		p.set("/spec/updateStrategy/rollingUpdate/maxUnavailable", limit)
	} else {
		p.operations = append(p.operations, jsonpatch.Remove("/spec/updateStrategy/rollingUpdate/maxUnavailable"))
	}
	return nil
}

// borrows reports whether a workload that the rollout holds differs from what it would be without the rollout.
func (u *Update) borrows(workload workload.Object) bool {
	kept, err := u.kept()
	return u.holds(workload) && (u.Partition == nil || err != nil || *u.Partition != kept)
}

// returns reports whether a workload is on its way back with the fields that the rollout borrows for that: the limit of
// the plan, a lower partition, or both.
func (r *Record) returns(w workload.Object) bool {
	if partition := r.Update.Returning; partition != nil {
		set, is := w.(*appsv1.StatefulSet)
		if !is || workload.PartitionOf(set) != *partition {
			return false
		}
	}
	limit, paced := workload.Of(w).MaxUnavailable, r.Update.Paced || r.Update.Returning == nil
	return r.RollingBack && (!paced || limit != nil && *limit == r.Plan.Limits.Unavailable)
}

// ownStrategy returns a StatefulSet with the partition that it has without the rollout. Pods above that partition are
// to be replaced sooner or later, and are not kept for good.
func (u *Update) ownStrategy(workload workload.Object) workload.Object {
	set, is := workload.(*appsv1.StatefulSet)
	kept, err := u.kept()
	if !is || err != nil {
		return workload
	}
	own := set.DeepCopy()
	own.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: &kept}
	return own
}

// holds reports whether a workload has the strategy that the rollout has written last.
func (u *Update) holds(object workload.Object) bool {
	switch w := object.(type) {
	case *appsv1.StatefulSet:
		return u.Partition != nil && w.Spec.UpdateStrategy.Type == appsv1.RollingUpdateStatefulSetStrategyType && workload.PartitionOf(w) == *u.Partition
	case *appsv1.DaemonSet:
		return u.Partition == nil && w.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType
	}
	return false
}

// openUpdate finds the open rollout of a StatefulSet or DaemonSet.
func openUpdate(w workload.Object, decode decodeFunc) (State, *Record, error) {
	text := w.GetAnnotations()[Annotation]
	if text == "" {
		return Idle, nil, nil
	}
	record, err := decode(text)
	switch {
	case err != nil:
		return Open, nil, fmt.Errorf("%s %q in namespace %q: %w", workload.ResourceOf(w), w.GetName(), w.GetNamespace(), err)
	case record.Update == nil:
		return Idle, nil, nil // somebody has copied the record of a Deployment
	case record.RollingBack:
		if record.returns(w) {
			return RollingBack, record, nil
		}
		return Disturbed, record, nil
	case !record.Update.holds(w):
		return Disturbed, record, nil
	}
	return Open, record, nil
}

// OpenIn finds the open rollout of a workload from the workload alone. For a Deployment, its ReplicaSets may show more.
func OpenIn(workload workload.Object) (State, *Record, error) {
	if d, is := workload.(*appsv1.Deployment); is {
		return OpenRollout(d, nil)
	}
	return openUpdate(workload, decodeRecord)
}

// Steppable reports whether a workload can be rolled out in steps. A DaemonSet with a surge cannot: its new pods run
// beside the old ones, while deleting a pod leaves its node without one.
func Steppable(workload workload.Object) bool {
	if state, _, err := OpenIn(workload); state == Open && err == nil {
		return true
	}
	switch w := workload.(type) {
	case *appsv1.Deployment:
		return w.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType
	case *appsv1.StatefulSet:
		return w.Spec.UpdateStrategy.Type == appsv1.RollingUpdateStatefulSetStrategyType
	case *appsv1.DaemonSet:
		limits, err := plan.LimitsOfDaemonSet(w, nil, nil)
		return w.Spec.UpdateStrategy.Type == appsv1.RollingUpdateDaemonSetStrategyType && (err != nil || limits.Surge == 0)
	}
	return false
}
