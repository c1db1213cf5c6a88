package app

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// edit describes a change of an object that somebody else has made. The command only rolls it out.
type edit struct {
	// since is the content that pods run with if their template notes none. It is nil if that is unknown.
	since *configmap.Content
	// unnamed is true if nobody has named the object. Then nothing is printed if no workload references the object. shown is
	// true if the change has been shown before.
	unnamed, shown bool
	// back is the content that the object was given back after a failed rollout.
	back *configmap.Content
	// lost holds objects that no longer exist, as they were last read.
	lost map[configmap.Object]*store.State
}

// takeBack gives an object that others have edited its old content: the content of since, or else what the failed workload
// ran with. The object stays as it is if somebody has changed it meanwhile. So does an immutable one, which nobody can have
// edited.
func (c *changer) takeBack(ctx context.Context, failed *affectedWorkload) error {
	if c.head.State != nil && c.head.Immutable {
		return nil
	}
	if c.since == nil || configmap.Same(c.since, c.want) {
		return c.takeBackTo(ctx, failed)
	}
	found, err := c.returnTo(ctx, c.head.Object, c.want, c.since)
	switch {
	case err != nil:
		return err
	case c.want == nil && found == store.FoundGone:
		return c.stillGone(failed)
	case c.want == nil && found == store.FoundChanged:
		c.back = c.since
		c.tell("%s is there again, with what it held before it was deleted", c.head.Object)
	case found == store.FoundOther || found == store.FoundGone:
		c.tell("%s was changed again meanwhile; it stays as it is", c.head.Object)
	default:
		c.back = c.since
		c.tell("%s holds again what it held before it was edited", c.head.Object)
	}
	return nil
}

// takeBackTo gives objects the content that the old template of the failed workload names.
func (c *changer) takeBackTo(ctx context.Context, failed *affectedWorkload) error {
	r := &restore.Restoration{Session: c.Session, Of: failed.workload, Lenient: true, GoingBack: map[string]bool{}}
	for _, w := range c.out {
		r.GoingBack[nameOf(w.workload)] = true
	}
	some, err := r.LookUp(ctx)
	if err != nil || !some || failed.before == nil {
		return err
	}
	from, err := podtemplate.Typed(failed.after)
	if err != nil {
		return err
	}
	to, err := podtemplate.Typed(failed.before)
	if err != nil {
		return err
	}
	done, err := r.To(ctx, from, to)
	for i := range done {
		if done[i].Live.Object == c.head.Object {
			c.back = done[i].Live.Content
		}
	}
	if err == nil && c.back == nil && configmap.NamesPlainly(&to.Spec, c.head.Object) {
		err = c.stillFailing(ctx, failed)
	}
	return err
}

// stillFailing returns an error if old pods start with the content that has just failed, because the object could not be
// given another one.
func (c *changer) stillFailing(ctx context.Context, failed *affectedWorkload) error {
	now, err := c.Reader.Get(ctx, c.head.Object)
	switch {
	case apierrors.IsNotFound(err) && c.want == nil:
		return c.stillGone(failed)
	case apierrors.IsNotFound(err):
		return nil
	case c.want == nil:
		return err
	case err != nil || !now.Content.Equal(c.want):
		return err
	}
	return &exitError{code: ExitStanding, err: fmt.Errorf("%s still holds what failed, and pods of the old version of %s start with that, too",
		c.head.Object, nameOf(failed.workload))}
}

// stillGone returns the error for a workload whose old pods start without an object that stays deleted.
func (c *changer) stillGone(failed *affectedWorkload) error {
	return &exitError{code: ExitStanding, err: fmt.Errorf("%s is still not there, and pods of the old version of %s start without it, too",
		c.head.Object, nameOf(failed.workload))}
}

// returnTo gives an object that others have changed its old content. A deleted object is created as it was last read. An
// immutable object, or one with an owner, stays deleted.
func (c *changer) returnTo(ctx context.Context, object configmap.Object, from, to *configmap.Content) (store.Found, error) {
	if from != nil {
		return c.Swap(ctx, object, from, to)
	}
	last := c.lost[object]
	if last == nil || last.Immutable || len(last.Meta.OwnerReferences) > 0 {
		return store.FoundGone, nil
	}
	made := metav1.ObjectMeta{Labels: last.Meta.Labels, Annotations: last.Meta.Annotations}
	_, err := c.Write(ctx, &store.Live{Object: object, Made: made}, to, false)
	if apierrors.IsAlreadyExists(err) {
		return store.FoundOther, nil
	}
	return store.FoundChanged, err
}
