package printers

import (
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// attendance says who looks after an open rollout.
type attendance struct {
	// State is `driven`, `held`, `left`, `orphaned` or `rolling-back`.
	State rollout.Attention `json:"state"`
	// Since is when that began.
	Since string `json:"since,omitempty"`
	// Reason is why nobody drives the rollout.
	Reason string `json:"reason,omitempty"`
	// Cause is the ID of the finding because of which it was left.
	Cause string `json:"cause,omitempty"`
	// By is the field manager of the client that wrote last.
	By string `json:"by,omitempty"`
	// HoldUntil is when the hold of the present step ends.
	HoldUntil string `json:"holdUntil,omitempty"`
}

// attendanceOf returns nil if no rollout is open.
func attendanceOf(a *rollout.Attendance) *attendance {
	if a == nil {
		return nil
	}
	return &attendance{State: a.State, Since: momentOf(a.Since), Reason: a.Reason, Cause: a.Cause, By: a.By, HoldUntil: momentOf(a.HoldUntil)}
}

// momentOf formats a time for JSON. It returns "" for the zero time.
func momentOf(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}
