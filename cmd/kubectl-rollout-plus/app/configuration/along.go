package configuration

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// goingAlong describes objects whose content goes into the templates together with that of another object.
type goingAlong struct {
	// RanWith holds an object's earlier content: pods whose template notes no version of the object ran with it. An object is
	// missing here if its earlier content is unknown or equals the present one.
	RanWith map[configmap.Object]*configmap.Content
	// Failing holds the contents that the failed workload was to get. given holds the contents that objects were given back
	// then.
	Failing, Given map[configmap.Object]*configmap.Content
	// Planned holds workloads that this dry run has already reported for another object: they would have this object's content
	// by then. covered is true if this object's users include such workloads.
	Planned map[types.UID]bool
	covered bool
}

// takenBy returns the contents that a workload gets: that of the changed object, and those of the other objects that go
// along and that its template references.
func (c *Changer) takenBy(w workload.Object) map[configmap.Object]*configmap.Content {
	taken := map[configmap.Object]*configmap.Content{}
	for _, use := range configmap.Uses(workload.TemplateOf(w)) {
		if content, is := c.along[use.Head]; is {
			taken[use.Head] = content
		}
	}
	taken[c.Head.Object] = c.Want
	return taken
}

// takeAlongBack gives the other objects that went along into the failed workload the content they held before, if that is
// known. It takes back all of them: nobody knows which one is to blame, and old pods need the content they ran with.
func (c *Changer) takeAlongBack(ctx context.Context, failed *affectedWorkload) error {
	c.Given = map[configmap.Object]*configmap.Content{}
	taken := c.takenBy(failed.workload)
	for _, object := range slices.SortedFunc(maps.Keys(taken), configmap.Object.Compare) {
		before := c.RanWith[object]
		if object == c.Head.Object || before == nil || configmap.Same(before, taken[object]) {
			continue
		}
		found, err := c.returnTo(ctx, object, taken[object], before)
		switch {
		case err != nil:
			return err
		case found == store.FoundOther || found == store.FoundGone:
			c.Tell("%s, which went along, was changed again meanwhile; it stays as it is", object)
		default:
			c.Given[object] = before
			c.Tell("%s, which went along, holds again what it held before it was edited", object)
		}
	}
	return nil
}
