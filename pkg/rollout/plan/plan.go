package plan

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OnFailure is what to do with a rollout that failed.
type OnFailure string

// What can be done with a rollout that failed: go back to the old version, or leave it standing at its step.
const (
	OnFailureRollback OnFailure = "rollback"
	OnFailureHold     OnFailure = "hold"
)

// Plan is how a rollout proceeds: its steps, its limits, and what happens after each step and on failure.
type Plan struct {
	Steps     Steps           `json:"steps"`
	Limits    Limits          `json:"limits"`
	Hold      metav1.Duration `json:"hold"`
	OnFailure OnFailure       `json:"onFailure"`
	// Patience is the least time that pods get which may still become ready.
	Patience metav1.Duration `json:"patience,omitzero"`
}
