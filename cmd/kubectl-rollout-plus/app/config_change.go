package app

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// changeFlags are the flags of config set, edit and apply.
type changeFlags struct {
	rollFlags
	modeFlags
	yes, noRestart, keepLive bool
}

func (f *changeFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVarP(&f.yes, "yes", "y", false, "Do not ask for confirmation.")
	flags.BoolVar(&f.noRestart, "no-restart", false, "Only write the object; roll out nothing.")
	f.addMode(cmd)
	f.rollFlags.add(cmd)
}

func (f *changeFlags) addMode(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.keepLive, "keep-live", false, "Do not roll out workloads in which only mounted files change.")
	f.modeFlags.addMode(cmd)
}

// changer changes one object and rolls out the affected workloads.
type changer struct {
	*roller
	flags *changeFlags
	head  *store.Live
	want  *configmap.Content
	// out holds the workloads to roll out.
	out []*affectedWorkload
	pin *attach.Pin
	// along holds further objects whose present content goes into the templates together with this object's.
	along map[configmap.Object]*configmap.Content
	goingAlong
	// workloads holds all workloads of the namespace. It is read before, so that several objects need only one read, as long
	// as nothing has been rolled out since.
	workloads []impact.Workload
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

// newChanger returns a changer for a namespace. The caller sets its head and the content it wants.
func (f *changeFlags) newChanger(env *environment, namespace string) (*changer, error) {
	r, err := f.complete()
	if err != nil {
		return nil, err
	}
	if err := f.checkMode(); err != nil {
		return nil, err
	}
	return &changer{roller: r, flags: f}, f.connect(env, r, namespace)
}

// run shows the change, asks, and makes it.
func (c *changer) run(ctx context.Context) error {
	if err := c.head.NoVersion(c.Namespace); err != nil {
		return err
	}
	judged, affected, err := c.look(ctx)
	if err != nil {
		return err
	}
	same := configmap.Same(c.head.Holds(), c.want)
	blocked := store.RefuseBlocked(c.head.Object, c.Namespace, affected)
	if same && (len(c.out) == 0 || c.flags.noRestart) && (c.along == nil || blocked == nil) {
		c.tellNothing(judged, affected)
		return nil
	}
	if !c.shown {
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
func (c *changer) make(ctx context.Context, same bool) error {
	if !same {
		c.WarnApplied(c.head)
	}
	if c.options.DryRun != rollout.DryRunClient {
		if err := c.try(ctx, same); err != nil {
			return err
		}
	}
	if c.options.DryRun != rollout.DryRunNone {
		c.tellDry(same)
		return nil
	}
	if err := c.ask(ctx); err != nil {
		return err
	}
	return c.perform(ctx, same)
}

// look judges which workloads are affected, and picks those to roll out.
func (c *changer) look(ctx context.Context) (*impact.Change, []impact.Affected, error) {
	judged := &impact.Change{Object: c.head.Object, New: c.want, Stale: c.along != nil && c.since == nil}
	switch {
	case c.since != nil:
		judged.Old = c.since
	case c.head.State != nil:
		judged.Old = c.head.Content
	case c.want != nil:
		judged.Old = &configmap.Content{Type: c.want.Type}
	}
	if c.head.State != nil {
		judged.Present, judged.Age = c.head.Content, impact.AgeOf(&c.head.Meta)
	}
	if c.workloads == nil {
		var err error
		if c.workloads, err = c.Reader.Workloads(ctx); err != nil {
			return nil, nil, err
		}
	}
	affected, err := c.Reader.Judge(ctx, judged, c.workloads)
	if err != nil {
		return nil, nil, err
	}
	if err := c.choose(ctx, affected); err != nil {
		return nil, nil, err
	}
	c.pin.Older = map[configmap.Object]configmap.Object{}
	for version := range judged.Versions {
		c.pin.Older[version] = c.head.Object
	}
	return judged, affected, nil
}

// tellNothing reports why there is nothing to do.
func (c *changer) tellNothing(judged *impact.Change, affected []impact.Affected) {
	uncertain := c.Uncertain(judged, affected)
	switch {
	case uncertain != "":
		c.end(rollout.Unchanged, uncertain)
	case c.along == nil:
		c.end(rollout.Unchanged, "unchanged")
	case c.covered:
		c.end(rollout.Planned, "goes along")
	case c.want == nil && (len(affected) > 0 || !c.unnamed):
		c.end(rollout.Unchanged, store.NoNeed)
	case len(affected) > 0 || !c.unnamed:
		c.end(rollout.Unchanged, store.RunsEverywhere)
	default: // nobody has asked about this object
		c.untold = true
	}
}

// end reports what became of the object.
func (c *changer) end(outcome rollout.Outcome, text string) {
	c.outcome, c.ending = outcome, fmt.Sprintf("%s %s%s", c.head.Object, text, c.suffix)
	_, _ = fmt.Fprintln(c.env.Out, c.env.connection().Text(c.ending))
}

// show prints what changes, and for which workloads. It never prints values of Secrets.
func (c *changer) show(judged *impact.Change, affected []impact.Affected) error {
	if events := c.env.eventsOf(configObject(c.Namespace, c.head.Object)); events != nil {
		events.Affected(c.env.clock.Now(), toldAffected(judged, affected))
	}
	name, is, will := c.head.Object.String(), " (now)", " (new)"
	if c.since != nil { // somebody else has changed it already
		is, will = " (before)", " (now)"
	}
	if c.want == nil {
		will = " (gone)"
	}
	texts := compareContents(c.head.Object.Kind, configSide{name + is, judged.Old}, configSide{name + will, c.want})
	if _, err := printers.Diff(c.env.ErrOut, c.env.palette(c.env.ErrOut), texts.from, texts.to); err != nil {
		return err
	}
	if len(affected) == 0 {
		_, _ = fmt.Fprintf(c.env.ErrOut, "No workload in namespace %s references %s.\n", c.Namespace, c.head.Object)
		return nil
	}
	if err := printers.AffectedTable(c.env.ErrOut, toldAffected(judged, affected)); err != nil {
		return err
	}
	for _, w := range c.out {
		if c.flags.noRestart {
			break
		}
		if text := w.told(c.head.Object); text != "" {
			_, _ = fmt.Fprintln(c.env.ErrOut, text)
		}
		for _, text := range w.keeps.Lines(nameOf(w.workload), c.head.Object) {
			_, _ = fmt.Fprintln(c.env.ErrOut, text)
		}
	}
	return nil
}

// try finds out whether all writes will succeed, before the first one.
func (c *changer) try(ctx context.Context, same bool) error {
	if !same {
		if _, err := c.Write(ctx, c.head, c.want, true); err != nil {
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
func (c *changer) prepare(ctx context.Context, try bool) error {
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
	c.options.Foreseen = store.Foreseen(c.pin)
	for _, w := range c.out {
		if err := c.roller.try(ctx, w.change(c.pin)); err != nil {
			return err
		}
	}
	return nil
}

// taken returns the contents that the workloads to roll out get: the new content of the object, and the contents of other
// objects that go along and that their templates reference.
func (c *changer) taken() map[configmap.Object]*configmap.Content {
	all := map[configmap.Object]*configmap.Content{}
	for _, w := range c.out {
		maps.Copy(all, c.takenBy(w.workload))
	}
	all[c.head.Object] = c.want
	return all
}

// headsIn returns the object itself, and the objects that go along and that the workload's template references.
func (c *changer) headsIn(workload workload.Object) []configmap.Object {
	return slices.SortedFunc(maps.Keys(c.takenBy(workload)), configmap.Object.Compare)
}
