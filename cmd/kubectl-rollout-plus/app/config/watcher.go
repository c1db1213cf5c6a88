package config

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/informer"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/watch"
)

// configWatcher rolls out edits as they come.
type configWatcher struct {
	*configuration.ConfigSession
	flags *configuration.ChangeFlags
	named []configmap.Object
	// onlySecrets restricts the watch to Secrets if no object is named.
	onlySecrets bool
	objects     *informer.Objects
	edits       *watch.Edits
	// cached holds the heads as the watches last delivered them. versions holds the versions that the watches delivered.
	cached    map[configmap.Object]*store.State
	versions  map[configmap.Object]*store.State
	postponed map[configmap.Object]postponed
	// lost holds heads that no longer exist, as they were last read.
	lost map[configmap.Object]*store.State
	// blind is true if Secrets are not watched because a right is missing.
	blind bool
	// workloads holds the workloads that a changer has read, for the next changer.
	workloads []impact.Workload
	broken    bool
	// toldHeldBack is true once the message about held-back watch data was printed.
	toldHeldBack bool
}

// postponed is content that could not be rolled out, with the reason. The reason is printed once.
type postponed struct {
	content *configmap.Content
	why     string
}

// run is the main loop. It compares states instead of counting events, so it misses nothing while it is busy.
func (w *configWatcher) run(ctx context.Context) error {
	defer w.objects.Close()
	w.objects.Start(ctx)
	if err := w.objects.Sync(ctx); err != nil {
		return w.stopped(err)
	}
	w.observe()
	if err := w.begin(ctx); err != nil {
		return w.stopped(err)
	}
	for {
		if err := w.objects.Err(); err != nil {
			return err
		}
		w.tellConnection()
		w.observe()
		ready, again := w.edits.Take(w.Env.Clock.Now())
		if err := w.rollAll(ctx, ready); err != nil {
			return err
		}
		if len(ready) > 0 && context.Cause(ctx) == nil {
			continue
		}
		if err := w.objects.Sleep(ctx, again); err != nil {
			return w.stopped(err)
		}
	}
}

// begin finds out which objects may need a rollout now, and which rights are missing.
func (w *configWatcher) begin(ctx context.Context) error {
	workloads, err := w.Reader.Workloads(ctx)
	if err != nil {
		return err
	}
	for _, object := range w.named {
		found := w.cached[object]
		if found == nil && !impact.IsNamed(object, workloads) {
			return w.Absent(object)
		}
		if err := (&store.Live{Object: object, State: found}).NoVersion(w.Namespace); err != nil {
			return err
		}
		w.edits.Look(object)
	}
	if err := w.mayWrite(ctx, workloads); err != nil {
		return err
	}
	if len(w.named) == 0 {
		referenced, err := restore.Referenced(ctx, w.Session, workloads)
		if err != nil {
			return err
		}
		if err := w.lookAtAll(ctx, referenced, workloads); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintf(w.Env.ErrOut, "Watching %s in namespace %s; Ctrl-C ends it.\n", w.what(), w.Namespace)
	return nil
}

// lookAtAll schedules a look at each object whose present content pods may not run with.
func (w *configWatcher) lookAtAll(ctx context.Context, referenced map[configmap.Object]bool, workloads []impact.Workload) error {
	for object, versioned := range referenced {
		found, needed := w.cached[object], versioned
		switch {
		case found == nil && (!impact.IsNamed(object, workloads) || object.Kind == configmap.Secret && w.blind):
			continue
		case found == nil:
			change, affected, err := w.Reader.Gone(ctx, object, workloads)
			if err != nil {
				return err
			}
			needed = impact.SomeBlock(affected) || impact.SomeRoll(affected) || w.Uncertain(change, affected) != ""
		case !versioned:
			outdated, text, err := w.Outdated(ctx, object, found, workloads)
			if err != nil {
				return err
			}
			needed = outdated || text != store.RunsEverywhere
		}
		if needed {
			w.edits.Look(object)
		}
	}
	return nil
}

// observe reads the state of the watches.
func (w *configWatcher) observe() {
	seen, versions, contents := map[configmap.Object]*store.State{}, map[configmap.Object]*store.State{}, map[configmap.Object]*configmap.Content{}
	w.objects.Each(func(object any) {
		meta, is := object.(metav1.Object)
		if !is {
			return
		}
		name := configmap.Object{Kind: configmap.ConfigMap, Name: meta.GetName()}
		if _, is := object.(*corev1.Secret); is {
			name.Kind = configmap.Secret
		}
		if found := w.versions[name]; found.IsStill(meta) {
			versions[name] = found
			return
		}
		found := w.cached[name]
		if !found.IsStill(meta) {
			found = store.StateOf(object)
			if _, is := found.Stored().Version(); is && len(w.named) == 0 {
				versions[name] = found
				return
			}
		}
		seen[name], contents[name] = found, found.Content
	})
	for object, last := range w.cached {
		if seen[object] == nil {
			w.lost[object] = last
		}
	}
	w.cached, w.versions = seen, versions
	w.edits.Observe(w.Env.Clock.Now(), contents)
}

// holds returns the content of an object as the watches last delivered it, or nil if it does not exist.
func (w *configWatcher) holds(object configmap.Object) *configmap.Content {
	return (&store.Live{State: w.cached[object]}).Holds()
}

// rollAll rolls out the edits of several heads one after another. A workload that uses several of them takes all edits at
// once. If a head is edited meanwhile, the rest waits for the next call, since more edits of the same burst may follow.
func (w *configWatcher) rollAll(ctx context.Context, ready []configmap.Object) error {
	w.workloads = nil
	for _, object := range ready {
		w.observe()
		if w.edits.Burst() {
			return nil
		}
		if !w.edits.Due(object) {
			continue
		}
		along := map[configmap.Object]*configmap.Content{}
		for _, other := range ready {
			if w.edits.Due(other) {
				along[other] = w.holds(other)
			}
		}
		if err := w.roll(ctx, object, along); err != nil {
			return err
		}
	}
	return nil
}

// roll rolls out the edit of one head. It returns an error only if the command is to end; a failed rollout is no such
// error.
func (w *configWatcher) roll(ctx context.Context, object configmap.Object, along map[configmap.Object]*configmap.Content) error {
	c, err := w.flags.NewChanger(w.Env, w.Namespace)
	if err != nil {
		return err
	}
	h := &store.Live{Object: object, State: w.cached[object]}
	now := h.Holds()
	// What the watch has seen says nothing about pods started before it. Settled returns only content that such pods are known
	// to run with.
	if settled := w.edits.Settled(object); !configmap.Same(settled, now) {
		c.Since = settled
	}
	c.RanWith = map[configmap.Object]*configmap.Content{}
	for other := range along {
		c.RanWith[other] = w.edits.Settled(other)
	}
	before, waits := w.postponed[object]
	c.Unnamed, c.Shown = len(w.named) == 0, waits && before.content == now
	c.Workloads, c.Lost = w.workloads, w.lost
	err = c.CatchUp(ctx, h, along)
	w.workloads = c.Workloads
	switch {
	case err == nil:
		w.edits.Settle(object, now)
		delete(w.postponed, object)
		delete(w.lost, object)
	case context.Cause(ctx) != nil && c.Began:
		return err
	case context.Cause(ctx) != nil:
		// nothing was begun; the loop ends by itself
	case c.Began:
		w.failed(c, err)
	default:
		w.postpone(object, now, err)
	}
	return nil
}

// failed remembers a failed edit, and prints the failure.
func (w *configWatcher) failed(c *configuration.Changer, err error) {
	object, given := c.Head.Object, map[configmap.Object]*configmap.Content{}
	maps.Copy(given, c.Given)
	if c.Back != nil {
		given[object] = c.Back
	}
	w.edits.Fail(c.Failing, given)
	delete(w.postponed, object)
	text := fmt.Sprintf("that edit of %s is not tried again until it holds another one", object)
	if len(c.Failing) > 1 {
		var names []string
		for _, each := range slices.SortedFunc(maps.Keys(c.Failing), configmap.Object.Compare) {
			names = append(names, each.String())
		}
		text = fmt.Sprintf("these edits of %s are not tried together again until one of them holds another one; "+
			"an edit that is made again alone is", strings.Join(names, ", "))
	}
	w.Tell("%s\nWatching goes on; %s.", cli.ErrorText(err), text)
}

// postpone schedules another try, and prints why nothing could be begun unless it has printed that before.
func (w *configWatcher) postpone(object configmap.Object, content *configmap.Content, err error) {
	wait := w.edits.Postpone(object, w.Env.Clock.Now())
	before, now := w.postponed[object], postponed{content, cli.ErrorText(err)}
	if w.postponed[object] = now; now != before {
		w.Tell("%s\nWatching goes on; %s is looked at again in %s, and then later and later.",
			now.why, object, wait.Round(time.Second))
	}
}

// tellConnection prints when the connection is lost, and when it is back.
func (w *configWatcher) tellConnection() {
	broken := w.objects.Stale()
	switch {
	case broken && !w.broken:
		_, _ = fmt.Fprintln(w.Env.ErrOut, "no connection to the API server; edits are caught up with once it is back")
	case !broken && w.broken:
		_, _ = fmt.Fprintln(w.Env.ErrOut, "the connection to the API server is back")
	}
	w.broken = broken
	if resources := w.objects.HeldBack(); len(resources) > 0 && !w.toldHeldBack {
		w.toldHeldBack = true
		_, _ = fmt.Fprintln(w.Env.ErrOut, informer.HeldBackWarning(resources))
	}
}
