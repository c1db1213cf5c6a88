// Package configuration changes ConfigMaps and Secrets, and rolls out the affected workloads, for config and restart.
package configuration

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/compare"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// ChangeFlags are the flags of config set, edit and apply.
type ChangeFlags struct {
	RollFlags
	ModeFlags
	Yes, noRestart, KeepLive bool
}

// Add adds all of the flags to a command.
func (f *ChangeFlags) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVarP(&f.Yes, "yes", "y", false, "Do not ask for confirmation.")
	flags.BoolVar(&f.noRestart, "no-restart", false, "Only write the object; roll out nothing.")
	f.AddMode(cmd)
	f.RollFlags.Add(cmd)
}

// AddMode adds only the flags that select what is rolled out, and how.
func (f *ChangeFlags) AddMode(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.KeepLive, "keep-live", false, "Do not roll out workloads in which only mounted files change.")
	f.ModeFlags.AddMode(cmd)
}

// Changer changes one object and rolls out the affected workloads.
type Changer struct {
	*Roller
	flags *ChangeFlags
	Head  *store.Live
	Want  *configmap.Content
	// out holds the workloads to roll out.
	out []*affectedWorkload
	pin *attach.Pin
	// along holds further objects whose present content goes into the templates together with this object's.
	along map[configmap.Object]*configmap.Content
	goingAlong
	// Workloads holds all workloads of the namespace. It is read before, so that several objects need only one read, as long
	// as nothing has been rolled out since.
	Workloads []impact.Workload
	// outcome and ending describe a change without a rollout. untold suppresses the message.
	outcome rollout.Outcome
	ending  string
	untold  bool
	// returned is the result of giving the object back its old content. It is nil until that is done.
	returned *wayBack
	// before is the version with the object's old content, or nil if none is kept. left holds the revisions that this version
	// is kept for.
	before *configmap.Version
	left   []configmap.Holder
	edit
}

// NewChanger returns a changer for a namespace. The caller sets its head and the content it wants.
func (f *ChangeFlags) NewChanger(env *cli.Env, namespace string) (*Changer, error) {
	r, err := f.complete()
	if err != nil {
		return nil, err
	}
	if err := f.CheckMode(); err != nil {
		return nil, err
	}
	return &Changer{Roller: r, flags: f}, f.connect(env, r, namespace)
}

// run shows the change, asks, and makes it.
func (c *Changer) run(ctx context.Context) error {
	if err := c.Head.NoVersion(c.Namespace); err != nil {
		return err
	}
	judged, affected, err := c.look(ctx)
	if err != nil {
		return err
	}
	same := configmap.Same(c.Head.Holds(), c.Want)
	blocked := store.RefuseBlocked(c.Head.Object, c.Namespace, affected)
	if same && (len(c.out) == 0 || c.flags.noRestart) && (c.along == nil || blocked == nil) {
		c.tellNothing(judged, affected)
		return nil
	}
	if !c.Shown {
		if err := c.show(judged, affected); err != nil {
			return err
		}
	}
	if blocked != nil {
		return blocked
	}
	return c.make(ctx, same)
}

// make tries the change and then makes it. A dry run stops before it writes.
func (c *Changer) make(ctx context.Context, same bool) error {
	if !same {
		c.WarnApplied(c.Head)
	}
	if c.Options.DryRun != rollout.DryRunClient {
		if err := c.try(ctx, same); err != nil {
			return err
		}
	}
	if c.Options.DryRun != rollout.DryRunNone {
		c.tellDry(same)
		return nil
	}
	if err := c.ask(ctx); err != nil {
		return err
	}
	return c.perform(ctx, same)
}

// look judges which workloads are affected, and picks those to roll out.
func (c *Changer) look(ctx context.Context) (*impact.Change, []impact.Affected, error) {
	judged := &impact.Change{Object: c.Head.Object, New: c.Want, Stale: c.along != nil && c.Since == nil}
	switch {
	case c.Since != nil:
		judged.Old = c.Since
	case c.Head.State != nil:
		judged.Old = c.Head.Content
	case c.Want != nil:
		judged.Old = &configmap.Content{Type: c.Want.Type}
	}
	if c.Head.State != nil {
		judged.Present, judged.Age = c.Head.Content, impact.AgeOf(&c.Head.Meta)
	}
	if c.Workloads == nil {
		var err error
		if c.Workloads, err = c.Reader.Workloads(ctx); err != nil {
			return nil, nil, err
		}
	}
	affected, err := c.Reader.Judge(ctx, judged, c.Workloads)
	if err != nil {
		return nil, nil, err
	}
	if err := c.choose(ctx, affected); err != nil {
		return nil, nil, err
	}
	c.pin.Older = map[configmap.Object]configmap.Object{}
	for version := range judged.Versions {
		c.pin.Older[version] = c.Head.Object
	}
	return judged, affected, nil
}

// tellNothing reports why there is nothing to do.
func (c *Changer) tellNothing(judged *impact.Change, affected []impact.Affected) {
	uncertain := c.Uncertain(judged, affected)
	switch {
	case uncertain != "":
		c.end(rollout.Unchanged, uncertain)
	case c.along == nil:
		c.end(rollout.Unchanged, "unchanged")
	case c.covered:
		c.end(rollout.Planned, "goes along")
	case c.Want == nil && (len(affected) > 0 || !c.Unnamed):
		c.end(rollout.Unchanged, store.NoNeed)
	case len(affected) > 0 || !c.Unnamed:
		c.end(rollout.Unchanged, store.RunsEverywhere)
	default: // nobody has asked about this object
		c.untold = true
	}
}

// end reports what became of the object.
func (c *Changer) end(outcome rollout.Outcome, text string) {
	c.outcome, c.ending = outcome, fmt.Sprintf("%s %s%s", c.Head.Object, text, c.suffix)
	_, _ = fmt.Fprintln(c.Env.Out, c.Env.Connection().Text(c.ending))
}

// show prints what changes, and for which workloads. It never prints values of Secrets.
func (c *Changer) show(judged *impact.Change, affected []impact.Affected) error {
	if events := c.Env.EventsOf(cli.ConfigObject(c.Namespace, c.Head.Object)); events != nil {
		events.Affected(c.Env.Clock.Now(), ToldAffected(judged, affected))
	}
	name, is, will := c.Head.Object.String(), " (now)", " (new)"
	if c.Since != nil { // somebody else has changed it already
		is, will = " (before)", " (now)"
	}
	if c.Want == nil {
		will = " (gone)"
	}
	texts := compare.Contents(c.Head.Object.Kind,
		compare.ConfigSide{Name: name + is, Content: judged.Old}, compare.ConfigSide{Name: name + will, Content: c.Want})
	if _, err := printers.Diff(c.Env.ErrOut, c.Env.Palette(c.Env.ErrOut), texts.From, texts.To); err != nil {
		return err
	}
	if len(affected) == 0 {
		_, _ = fmt.Fprintf(c.Env.ErrOut, "No workload in namespace %s references %s.\n", c.Namespace, c.Head.Object)
		return nil
	}
	if err := printers.AffectedTable(c.Env.ErrOut, ToldAffected(judged, affected)); err != nil {
		return err
	}
	for _, w := range c.out {
		if c.flags.noRestart {
			break
		}
		if text := w.told(c.Head.Object); text != "" {
			_, _ = fmt.Fprintln(c.Env.ErrOut, text)
		}
		for _, text := range w.keeps.Lines(cli.NameOf(w.workload), c.Head.Object) {
			_, _ = fmt.Fprintln(c.Env.ErrOut, text)
		}
	}
	return nil
}

// try finds out whether all writes will succeed, before the first one.
func (c *Changer) try(ctx context.Context, same bool) error {
	if !same {
		if _, err := c.Write(ctx, c.Head, c.Want, true); err != nil {
			return err
		}
	}
	if !c.flags.noRestart {
		if err := c.MaySweep(ctx, store.KindsOf(c.taken())); err != nil {
			return err
		}
	}
	return c.prepare(ctx, true)
}

// prepare writes the version. With try, it only tries to write the version and to roll out all workloads.
func (c *Changer) prepare(ctx context.Context, try bool) error {
	c.pin.Contents = c.taken()
	var owners []metav1.OwnerReference
	if !c.flags.noRestart {
		for _, w := range c.out {
			owners = append(owners, ownerOfWorkload(w.workload))
		}
	}
	if err := c.Versions.WritePin(ctx, c.pin, owners, try); err != nil {
		return err
	}
	if err := c.keepBefore(ctx, owners, try); err != nil {
		return err
	}
	if !try || c.flags.noRestart {
		return nil
	}
	c.Options.Foreseen = store.Foreseen(c.pin)
	for _, w := range c.out {
		if err := c.Roller.try(ctx, w.change(c.pin)); err != nil {
			return err
		}
	}
	return nil
}

// taken returns the contents that the workloads to roll out get: the new content of the object, and the contents of other
// objects that go along and that their templates reference.
func (c *Changer) taken() map[configmap.Object]*configmap.Content {
	all := map[configmap.Object]*configmap.Content{}
	for _, w := range c.out {
		maps.Copy(all, c.takenBy(w.workload))
	}
	all[c.Head.Object] = c.Want
	return all
}

// headsIn returns the object itself, and the objects that go along and that the workload's template references.
func (c *Changer) headsIn(workload workload.Object) []configmap.Object {
	return slices.SortedFunc(maps.Keys(c.takenBy(workload)), configmap.Object.Compare)
}
