package rollout

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// action is what a session does next: one of the types below.
type action interface{ isAction() }

type (
	// await waits for a change, or until the given moment if one is set.
	await struct{ until time.Time }
	// move changes how far a gate is open, and the record's step with it.
	move struct {
		step int
		to   opening
		// until is when the hold of the step ends, or nil if none has begun.
		until *metav1.Time
	}
	// standBack makes a move for the last time. The session stops next, with the message.
	standBack struct {
		move

		message string
	}
	// replace deletes the pods of a DaemonSet's wave.
	replace struct{ pods []*corev1.Pod }
	// unblock deletes pods that a StatefulSet waits for in vain.
	unblock struct{ pods []*corev1.Pod }
	// noteHold records until when a step is held.
	noteHold struct{ until metav1.Time }
	// adopt makes a template that others have set the new version of the rollout.
	adopt struct{ revision int64 }
	// finish restores the borrowed fields and removes the record.
	finish struct {
		outcome Outcome
		why     string
	}
	// part restores what is left of the gate, and leaves the Deployment to those who have changed it.
	part struct{ message string }
	// goBack returns to the old version.
	goBack struct {
		finding *Finding
		why     string
	}
	// stop ends the engine's work and leaves everything as it is.
	stop struct {
		outcome Outcome
		message string
		finding *Finding
	}
)

func (await) isAction()    {}
func (move) isAction()     {}
func (replace) isAction()  {}
func (unblock) isAction()  {}
func (noteHold) isAction() {}
func (adopt) isAction()    {}
func (finish) isAction()   {}
func (part) isAction()     {}
func (goBack) isAction()   {}
func (stop) isAction()     {}
