package rollout

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
)

// ErrOvertaken tells that the newest pod template is not the one any more that was to be left.
var ErrOvertaken = errors.New("the pod template was changed meanwhile")

// leavesLatest tells whether a change is to go back from the newest pod template, whichever that is.
func (c *Change) leavesLatest() bool { return c.ToRevision != nil && *c.ToRevision == 0 }

// leave notes the pod template that there is when a change begins, unless it says itself which one it leaves.
func (c *Change) leave(live *corev1.PodTemplateSpec) {
	if c.Leaving == nil {
		c.Leaving = live
	}
}

// overtaken tells whether a change was to leave another pod template than there is now. The revision before this one need
// not be better: somebody else may just have gone back to it.
func (c *Change) overtaken(live *corev1.PodTemplateSpec) bool {
	return c.leavesLatest() && c.Leaving != nil && !SameTemplate(c.Leaving, live)
}
