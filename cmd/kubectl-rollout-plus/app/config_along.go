package app

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// goingAlong is what is known of objects whose content goes into the templates together with that of another one.
type goingAlong struct {
	// ranWith is what pods that tell nothing of themselves ran with of them, where that is known and something else.
	ranWith map[configmap.Object]*configmap.Content
	// failing is what the workload took that failed, and given what objects were given again then.
	failing, given map[configmap.Object]*configmap.Content
	// planned are the workloads that a dry run has told of with another object: they would have this one's content by then.
	// Covered tells that there are some.
	planned map[types.UID]bool
	covered bool
}

// takenBy is what a workload takes of the object and of those that go along.
func (c *changer) takenBy(workload rollout.Workload) map[configmap.Object]*configmap.Content {
	taken := map[configmap.Object]*configmap.Content{}
	for _, use := range configmap.Uses(rollout.TemplateOf(workload)) {
		if content, is := c.along[use.Head]; is {
			taken[use.Head] = content
		}
	}
	taken[c.head.object] = c.want
	return taken
}

// takeAlongBack gives back what went along into the workload that has failed, as far as it is known what the objects held
// before: which of them is to blame is not known, and old pods are to find what they ran with.
func (c *changer) takeAlongBack(ctx context.Context, failed *affectedWorkload) error {
	c.given = map[configmap.Object]*configmap.Content{}
	taken := c.takenBy(failed.workload)
	for _, object := range slices.SortedFunc(maps.Keys(taken), configmap.Object.Compare) {
		before := c.ranWith[object]
		if object == c.head.object || before == nil || configmap.Same(before, taken[object]) {
			continue
		}
		found, err := c.returnTo(ctx, object, taken[object], before)
		switch {
		case err != nil:
			return err
		case found == foundOther || found == foundGone:
			c.tell("%s, which went along, was changed again meanwhile; it stays as it is", object)
		default:
			c.given[object] = before
			c.tell("%s, which went along, holds again what it held before it was edited", object)
		}
	}
	return nil
}
