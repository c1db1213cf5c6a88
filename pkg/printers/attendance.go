package printers

import (
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// attendance says who drives an open rollout.
type attendance struct {
	State     rollout.Attention `json:"state"`
	Since     string            `json:"since,omitempty"`
	Reason    string            `json:"reason,omitempty"`
	Cause     string            `json:"cause,omitempty"`
	By        string            `json:"by,omitempty"`
	HoldUntil string            `json:"holdUntil,omitempty"`
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
