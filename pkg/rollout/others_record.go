package rollout

import (
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Update is what an open rollout of a StatefulSet or DaemonSet borrows, and what it has done with it. A StatefulSet is held at
// a step by its partition. Of a DaemonSet all pods become unavailable when its minReadySeconds rise, so that its controller
// replaces them at once: it gets the strategy OnDelete, and its pods are deleted in waves.
type Update struct {
	// Strategy is the update strategy as it was, with the fields that this client does not know.
	Strategy json.RawMessage `json:"strategy"`
	// Partition is that of a StatefulSet, as it was written last.
	Partition *int32 `json:"partition,omitempty"`
	// Paced tells that fewer pods may be missing than the StatefulSet's own strategy lets go, so that its partition moves pod by
	// pod.
	Paced bool `json:"paced,omitempty"`
	// Wave are the pods of a DaemonSet that were chosen last to be replaced. From then on they count as gone, whoever looks.
	Wave []types.UID `json:"wave,omitempty"`
}

// kept is how many pods of a StatefulSet keep their version by its own partition.
func (u *Update) kept() (int32, error) {
	var own appsv1.StatefulSetUpdateStrategy
	if err := json.Unmarshal(u.Strategy, &own); err != nil {
		return 0, fmt.Errorf("annotation %s has no update strategy: %w; set it by hand", Annotation, err)
	}
	return partitionOf(&appsv1.StatefulSet{Spec: appsv1.StatefulSetSpec{UpdateStrategy: own}}), nil
}

// holding is the update strategy by which a workload stands at its step.
func (u *Update) holding() (map[string]any, error) {
	strategy := map[string]any{}
	if u.Partition == nil {
		return map[string]any{"type": string(appsv1.OnDeleteDaemonSetStrategyType)}, nil
	}
	if err := json.Unmarshal(u.Strategy, &strategy); err != nil {
		return nil, err
	}
	rolling, _ := strategy["rollingUpdate"].(map[string]any)
	if rolling == nil {
		rolling = map[string]any{}
	}
	rolling["partition"] = *u.Partition
	strategy["type"], strategy["rollingUpdate"] = string(appsv1.RollingUpdateStatefulSetStrategyType), rolling
	return strategy, nil
}

// holds tells whether a workload has the strategy that the rollout has written last.
func (u *Update) holds(workload Workload) bool {
	switch w := workload.(type) {
	case *appsv1.StatefulSet:
		return u.Partition != nil && w.Spec.UpdateStrategy.Type == appsv1.RollingUpdateStatefulSetStrategyType && partitionOf(w) == *u.Partition
	case *appsv1.DaemonSet:
		return u.Partition == nil && w.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType
	}
	return false
}

// openOther finds the open rollout of a StatefulSet or DaemonSet.
func openOther(workload Workload, decode decodeFunc) (State, *Record, error) {
	text := workload.GetAnnotations()[Annotation]
	if text == "" {
		return Idle, nil, nil
	}
	record, err := decode(text)
	switch {
	case err != nil:
		return Open, nil, fmt.Errorf("%s %q in namespace %q: %w", kindOf(workload), workload.GetName(), workload.GetNamespace(), err)
	case record.Update == nil:
		return Idle, nil, nil // that of a Deployment, which somebody has copied
	case !record.Update.holds(workload):
		return Disturbed, record, nil
	}
	return Open, record, nil
}

// OpenIn finds the open rollout of a workload as far as it tells by itself: of a Deployment, ReplicaSets may tell more.
func OpenIn(workload Workload) (State, *Record, error) {
	if d, is := workload.(*appsv1.Deployment); is {
		return OpenRollout(d, nil)
	}
	return openOther(workload, decodeRecord)
}

// Steppable tells whether a workload can be rolled out in steps. A DaemonSet whose new pods are to run beside the old ones
// cannot: to delete a pod leaves its node without one.
func Steppable(workload Workload) bool {
	if state, _, err := OpenIn(workload); state == Open && err == nil {
		return true
	}
	switch w := workload.(type) {
	case *appsv1.Deployment:
		return w.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType
	case *appsv1.StatefulSet:
		return w.Spec.UpdateStrategy.Type == appsv1.RollingUpdateStatefulSetStrategyType
	case *appsv1.DaemonSet:
		limits, err := limitsOfDaemonSet(w, nil, nil)
		return w.Spec.UpdateStrategy.Type == appsv1.RollingUpdateDaemonSetStrategyType && (err != nil || limits.Surge == 0)
	}
	return false
}
