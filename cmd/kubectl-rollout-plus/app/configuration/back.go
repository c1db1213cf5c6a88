package configuration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
)

// failed handles a failed rollout. If the workload was rolled back, or an error ended its rollout, the object and the
// workloads before it are taken back too. Otherwise the object stays, and the error says how to go on.
func (c *Changer) failed(ctx context.Context, at int, failure error, written *store.Live) error {
	name := cli.NameOf(c.out[at].workload)
	c.Failing = c.takenBy(c.out[at].workload)
	code := cli.CodeOf(failure)
	text := strings.TrimPrefix(cli.ErrorText(failure), "error: ")
	began := code == cli.ExitRolledBack || code == cli.ExitError || code == cli.ExitUsage
	if context.Cause(ctx) != nil || !began {
		return &cli.Exit{Code: code, Err: fmt.Errorf("%s; %s", text, c.standing())}
	}
	end := fmt.Sprintf("%s and all that references it are as they were", c.Head.Object)
	if written == c.Head {
		end = fmt.Sprintf("all that reference %s run as before", c.Head.Object)
	} else {
		_, _ = fmt.Fprintf(c.Env.ErrOut, "%s: the change of %s is taken back\n", name, c.Head.Object)
	}
	undone := []error{c.restoreOnce(ctx, written, c.out[at])}
	for i := at - 1; i >= 0; i-- {
		if err := c.Roll(ctx, c.out[i].back(c)); err != nil {
			undone = append(undone, fmt.Errorf("%s was not brought back: %w", cli.NameOf(c.out[i].workload), err))
		}
	}
	if err := errors.Join(undone...); err != nil {
		return c.notBack(ctx, text, err)
	}
	return &cli.Exit{Code: cli.ExitRolledBack, Err: fmt.Errorf("%s; %s", text, end)}
}

// notBack returns the error for a change that could not be taken back completely. It does not use the exit code of err. If
// the rollout of the old version was itself rolled back, that code says so. For the change as a whole, that is wrong.
func (c *Changer) notBack(ctx context.Context, text string, err error) error {
	code := cli.ExitStanding
	if context.Cause(ctx) != nil {
		code = cli.CodeOf(context.Cause(ctx))
	}
	return &cli.Exit{Code: code, Err: fmt.Errorf("%s; not all could be taken back: %w; %s", text, err, c.standing())}
}

// standing describes the state of the object after an incomplete change, and how to go on.
func (c *Changer) standing() string {
	next := restore.RestartCommand(c.Session, c.Head.Object)
	switch {
	case c.returned == nil && c.Want == nil:
		return fmt.Sprintf("%s stays gone, and %s rolls out the rest", c.Head.Object, next)
	case c.returned == nil:
		return fmt.Sprintf("%s stays changed, and %s rolls out the rest", c.Head.Object, next)
	case c.returned.err != nil:
		return fmt.Sprintf("%s stays changed; see %s", c.Head.Object,
			command.Quoted("%s config diff %s -n %s", command.Plugin, c.Head.Object, c.Namespace))
	case c.Want == nil && c.Back == nil:
		return fmt.Sprintf("%s stays gone, and %s brings the rest to that", c.Head.Object, next)
	case c.Head.State == nil && c.Want != nil:
		return fmt.Sprintf("%s is gone again", c.Head.Object)
	}
	return fmt.Sprintf("%s holds again what it held before, and %s brings the rest back to that", c.Head.Object, next)
}

// wayBack is the result of giving the object back its old content.
type wayBack struct{ err error }

// restoreOnce gives the object back its old content at the first call. Later calls return the result of the first.
func (c *Changer) restoreOnce(ctx context.Context, written *store.Live, failed *affectedWorkload) error {
	if c.returned == nil {
		c.returned = &wayBack{err: c.restore(ctx, written, failed)}
	}
	return c.returned.err
}

// restore gives the object back the content it held before a workload failed, unless somebody has changed it since. It
// deletes an object that this change created.
func (c *Changer) restore(ctx context.Context, written *store.Live, failed *affectedWorkload) error {
	switch {
	case written == c.Head:
		return errors.Join(c.takeBack(ctx, failed), c.takeAlongBack(ctx, failed))
	case c.Head.State == nil:
		return c.Delete(ctx, written)
	}
	found, err := c.Swap(ctx, c.Head.Object, c.Want, c.Head.Content)
	switch {
	case err != nil:
		return err
	case found == store.FoundOther:
		return fmt.Errorf("%s was changed by somebody else meanwhile, and stays as it is", c.Head.Object)
	case found == store.FoundGone:
		return fmt.Errorf("%s was deleted by somebody else meanwhile", c.Head.Object)
	}
	return nil
}

// keepChanged writes the change to the object again if it was taken back for a rollout that succeeded after all.
func (c *Changer) keepChanged(ctx context.Context) (err error) {
	switch {
	case c.returned == nil:
		return nil
	case c.Want == nil: // if somebody has created it again, that is an edit of its own
	case c.Head.State == nil:
		_, err = c.Write(ctx, c.Head, c.Want, false)
	default:
		_, err = c.Swap(ctx, c.Head.Object, c.Head.Content, c.Want)
	}
	c.returned = nil
	return err
}

// Change returns the change that puts the version into the template: as a reference, or as a note for in-place updates.
func (w *affectedWorkload) change(p *attach.Pin) Change {
	return Change{
		Workload: w.workload,
		Rewrite: func(template map[string]any) error {
			w.before = runtime.DeepCopyJSON(template)
			p.Put(template, w.keeps)
			w.after = runtime.DeepCopyJSON(template)
			return nil
		},
		undo: func(template map[string]any) error { return w.undo(p, template) },
	}
}

// back returns the change that gives the template its old content.
func (w *affectedWorkload) back(c *Changer) Change {
	return Change{Workload: w.workload, back: true, Rewrite: func(template map[string]any) error {
		if !equality.Semantic.DeepEqual(template, w.after) {
			_, _ = fmt.Fprintf(c.Env.ErrOut, "%s: somebody has changed its pod template since; that stays, and its references go back\n",
				cli.NameOf(w.workload))
		}
		return w.undo(c.pin, template)
	}}
}

// undo takes back what was changed in a template. It keeps everything that somebody else has changed since.
func (w *affectedWorkload) undo(p *attach.Pin, template map[string]any) error {
	if equality.Semantic.DeepEqual(template, w.after) {
		clear(template)
		maps.Copy(template, w.before)
		return nil
	}
	if !p.RestoreNames(template, w.before, w.keeps) {
		return errors.New("somebody has changed its pod template since, in which it cannot be told any more which version was where; it stays as it is")
	}
	return nil
}
