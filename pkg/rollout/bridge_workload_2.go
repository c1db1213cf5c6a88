package rollout

import (
	moved "github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// ChangeCauseAnnotation stands for moved.ChangeCauseAnnotation.
const ChangeCauseAnnotation = moved.ChangeCauseAnnotation
