package app

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// edit is what is known of a change that somebody else has made of an object, which is only to be rolled out.
type edit struct {
	// since is what pods that tell nothing of themselves run with, nil where that is not known.
	since *configmap.Content
	// unnamed tells that nobody has named the object, so that it is not worth a word where nobody references it, and
	// shown that the change has been shown before.
	unnamed, shown bool
	// back is what the object was given again when a rollout failed.
	back *configmap.Content
}

// takeBack gives an object that others have edited what it held before: what is known of that, else what the workload ran
// with that has failed. It stays where somebody has changed it meanwhile, or where it has been there all the time.
func (c *changer) takeBack(ctx context.Context, failed *affectedWorkload) error {
	if c.head.immutable {
		return nil
	}
	if c.since == nil || c.since.Equal(c.want) {
		return c.takeBackTo(ctx, failed)
	}
	found, err := c.swap(ctx, c.head.object, c.want, c.since)
	switch {
	case err != nil:
		return err
	case found == foundOther || found == foundGone:
		c.tell("%s was changed again meanwhile; it stays as it is", c.head.object)
	default:
		c.back = c.since
		c.tell("%s holds again what it held before it was edited", c.head.object)
	}
	return nil
}

// takeBackTo gives objects what the template of a workload names that returns.
func (c *changer) takeBackTo(ctx context.Context, failed *affectedWorkload) error {
	r := &restoration{configSession: c.configSession, of: failed.workload, lenient: true, returning: map[string]bool{}}
	for _, w := range c.out {
		r.returning[nameOf(w.workload)] = true
	}
	some, err := r.lookUp(ctx)
	if err != nil || !some || failed.before == nil {
		return err
	}
	from, err := rollout.TypedTemplate(failed.after)
	if err != nil {
		return err
	}
	to, err := rollout.TypedTemplate(failed.before)
	if err != nil {
		return err
	}
	done, err := r.to(ctx, from, to)
	for i := range done {
		if done[i].written.object == c.head.object {
			c.back = done[i].written.content
		}
	}
	if err == nil && c.back == nil && configmap.NamesPlainly(&to.Spec, c.head.object) {
		err = c.stillFailing(ctx, failed)
	}
	return err
}

// stillFailing tells of a workload whose old pods start with what has just failed, since the object could not be given
// anything else.
func (c *changer) stillFailing(ctx context.Context, failed *affectedWorkload) error {
	now, err := c.reader.get(ctx, c.head.object)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil || !now.content.Equal(c.want):
		return err
	}
	return &exitError{code: ExitStanding, err: fmt.Errorf("%s still holds what failed, and pods of the old version of %s start with that, too",
		c.head.object, nameOf(failed.workload))}
}
