package configuration

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// edit describes a change of an object that somebody else has made. The command only rolls it out.
type edit struct {
	// Since is the content that pods run with if their template notes none. It is nil if that is unknown.
	Since *configmap.Content
	// unnamed is true if nobody has named the object. Then nothing is printed if no workload references the object. shown is
	// true if the change has been shown before.
	Unnamed, Shown bool
	// Back is the content that the object was given back after a failed rollout.
	Back *configmap.Content
	// Lost holds objects that no longer exist, as they were last read.
	Lost map[configmap.Object]*store.State
}

// takeBack gives an object that others have edited its old content: the content of since, or else what the failed workload
// ran with. The object stays as it is if somebody has changed it meanwhile. So does an immutable one, which nobody can have
// edited.
func (c *Changer) takeBack(ctx context.Context, failed *affectedWorkload) error {
	if c.Head.State != nil && c.Head.Immutable {
		return nil
	}
	if c.Since == nil || configmap.Same(c.Since, c.Want) {
		return c.takeBackTo(ctx, failed)
	}
	found, err := c.returnTo(ctx, c.Head.Object, c.Want, c.Since)
	switch {
	case err != nil:
		return err
	case c.Want == nil && found == store.FoundGone:
		return c.stillGone(failed)
	case c.Want == nil && found == store.FoundChanged:
		c.Back = c.Since
		c.Tell("%s is there again, with what it held before it was deleted", c.Head.Object)
	case found == store.FoundOther || found == store.FoundGone:
		c.Tell("%s was changed again meanwhile; it stays as it is", c.Head.Object)
	default:
		c.Back = c.Since
		c.Tell("%s holds again what it held before it was edited", c.Head.Object)
	}
	return nil
}

// takeBackTo gives objects the content that the old template of the failed workload names.
func (c *Changer) takeBackTo(ctx context.Context, failed *affectedWorkload) error {
	r := &restore.Restoration{Session: c.Session, Of: failed.workload, Lenient: true, GoingBack: map[string]bool{}}
	for _, w := range c.out {
		r.GoingBack[cli.NameOf(w.workload)] = true
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
		if done[i].Live.Object == c.Head.Object {
			c.Back = done[i].Live.Content
		}
	}
	if err == nil && c.Back == nil && configmap.NamesPlainly(&to.Spec, c.Head.Object) {
		err = c.stillFailing(ctx, failed)
	}
	return err
}

// stillFailing returns an error if old pods start with the content that has just failed, because the object could not be
// given another one.
func (c *Changer) stillFailing(ctx context.Context, failed *affectedWorkload) error {
	now, err := c.Reader.Get(ctx, c.Head.Object)
	switch {
	case apierrors.IsNotFound(err) && c.Want == nil:
		return c.stillGone(failed)
	case apierrors.IsNotFound(err):
		return nil
	case c.Want == nil:
		return err
	case err != nil || !now.Content.Equal(c.Want):
		return err
	}
	return &cli.Exit{Code: cli.ExitStanding, Err: fmt.Errorf("%s still holds what failed, and pods of the old version of %s start with that, too",
		c.Head.Object, cli.NameOf(failed.workload))}
}

// stillGone returns the error for a workload whose old pods start without an object that stays deleted.
func (c *Changer) stillGone(failed *affectedWorkload) error {
	return &cli.Exit{Code: cli.ExitStanding, Err: fmt.Errorf("%s is still not there, and pods of the old version of %s start without it, too",
		c.Head.Object, cli.NameOf(failed.workload))}
}

// returnTo gives an object that others have changed its old content. A deleted object is created as it was last read. An
// immutable object, or one with an owner, stays deleted.
func (c *Changer) returnTo(ctx context.Context, object configmap.Object, from, to *configmap.Content) (store.Found, error) {
	if from != nil {
		return c.Swap(ctx, object, from, to)
	}
	last := c.Lost[object]
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
