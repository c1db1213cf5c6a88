package rollout

import (
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// takes reports whether a strategy that others set lets more pods go than the one that holds the rollout, and can be what the
// workload has in the end.
func (u *Update) takes(object workload.Object) bool {
	switch w := object.(type) {
	case *appsv1.StatefulSet:
		return u.Partition != nil && w.Spec.UpdateStrategy.Type == appsv1.RollingUpdateStatefulSetStrategyType && workload.PartitionOf(w) < *u.Partition
	case *appsv1.DaemonSet:
		return u.Partition == nil && w.Spec.UpdateStrategy.Type == appsv1.RollingUpdateDaemonSetStrategyType
	}
	return false
}

// taking returns the update for a workload that, in the end, is to have the strategy that others set.
func (u *Update) taking(object workload.Object) (*Update, error) {
	taken := *u
	taken.Reclaimed++
	of := workload.Of(object)
	if of.IsPerNode {
		taken.Final = nil
		var err error
		taken.Strategy, err = json.Marshal(of.Strategy)
		return &taken, err
	}
	for _, strategy := range []*json.RawMessage{&taken.Strategy, &taken.Final} {
		if *strategy == nil {
			continue
		}
		own := map[string]any{}
		if err := json.Unmarshal(*strategy, &own); err != nil {
			return nil, err
		}
		rolling, _ := own["rollingUpdate"].(map[string]any)
		if rolling == nil {
			rolling = map[string]any{}
		}
		rolling["partition"] = of.Partition
		own["rollingUpdate"] = rolling
		var err error
		if *strategy, err = json.Marshal(own); err != nil {
			return nil, err
		}
	}
	return &taken, nil
}

// updateStrategyText returns the update strategy of a StatefulSet or DaemonSet in JSON.
func updateStrategyText(w workload.Object) string {
	text, err := json.Marshal(workload.Of(w).Strategy)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
