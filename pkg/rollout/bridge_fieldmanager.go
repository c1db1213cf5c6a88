package rollout

import (
	moved "github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
)

// controllerManager stands for moved.ControllerManager.
const controllerManager = moved.ControllerManager
