package rollout

import (
	"errors"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// ErrOvertaken reports that the newest pod template is no longer the one that the change was to leave.
var ErrOvertaken = errors.New("the pod template was changed meanwhile")

// leavesLatest reports whether the change goes back from the newest pod template, whichever that is.
func (c *Change) leavesLatest() bool { return c.ToRevision != nil && *c.ToRevision == 0 }

// leave notes the pod template that is live when the change begins. A template that the change itself gives takes
// precedence.
func (c *Change) leave(live *corev1.PodTemplateSpec) {
	if c.Leaving == nil {
		c.Leaving = live
	}
}

// overtaken reports whether the live pod template is another one than the change was to leave. Going back would then be
// wrong: somebody else may just have gone back, so that the revision before this one is not better.
func (c *Change) overtaken(live *corev1.PodTemplateSpec) bool {
	return c.leavesLatest() && c.Leaving != nil && !workload.SameTemplate(c.Leaving, live)
}
