package rollout

import (
	"context"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/informer"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	testclock "k8s.io/utils/clock/testing"
)

// driver is a client process that works on a world one decision at a time. It sees the world through three watches
// that lag behind as the test wants; everything else of it is the real session.
type driver struct {
	w      *world
	engine *Engine
	clock  *testclock.FakeClock
	s      *session
	result *Result
	err    error
	// awaits tells that this process found no rollout open, and only waits for the Deployment to be complete.
	awaits bool
	// stores hold the Deployment, its ReplicaSets and its pods, as far as the watches have caught up.
	stores [3]cache.Store
	// before is called with every decision that is about to be acted on.
	before func(next action, snapshot *Snapshot)
}

func newDriver(w *world, client kubernetes.Interface) *driver {
	clock := testclock.NewFakeClock(w.now)
	return &driver{w: w, clock: clock, engine: &Engine{Client: client, Clock: clock, FieldManager: "test", Emit: func(time.Time, Event) {}}}
}

// open is a new process: it knows nothing but what the cluster holds.
func (d *driver) open() {
	for i := range d.stores {
		d.stores[i] = cache.NewStore(cache.MetaNamespaceKeyFunc)
	}
	s := &session{
		decodeRecord: rememberingDecode(),
		Engine:       d.engine, kind: "Deployment", uid: d.w.d.UID,
		key:    types.NamespacedName{Namespace: worldNamespace, Name: worldName},
		source: &source{Objects: informer.Read(d.clock, d.stores[:]...), hasReplicaSets: true},
	}
	d.s, d.result, d.awaits = s, nil, false
	d.refreshAll()
}

func (d *driver) refreshAll() {
	for watch := range d.stores {
		d.refresh(watch)
	}
}

// refresh lets one of the watches catch up.
func (d *driver) refresh(watch int) {
	var objects []any
	switch watch {
	case 0:
		objects = append(objects, d.w.d)
	case 1:
		for _, rs := range d.w.sets {
			objects = append(objects, rs)
		}
	case 2:
		for _, pod := range d.w.pods {
			objects = append(objects, pod)
		}
	}
	_ = d.stores[watch].Replace(objects, "") // a store in memory takes everything
	d.s.observe()
}

// start begins a rollout.
func (d *driver) start(change Change, options StartOptions) error {
	d.open()
	b := &beginning{session: d.s, change: change, options: options, began: inSeconds(d.s.Clock.Now())}
	ready, err := b.prepare(context.Background())
	if err != nil {
		return err
	}
	d.result, err = b.begin(context.Background(), ready)
	return err
}

// takeUp is another process that goes on with the rollout, goes back from it, or where none is open waits for its end.
func (d *driver) takeUp(as phase) {
	d.open()
	var err error
	d.s.state, d.s.record, err = OpenRollout(d.w.d, d.w.sets)
	switch {
	case err != nil:
		d.err = err
	case d.s.state == Idle:
		d.awaits, d.s.phase, d.s.outcome = true, ending, Done
	default:
		d.s.meter.begin(d.s.record.Plan.Limits, d.w.now)
		d.s.announce(d.w.d)
		d.s.phase = as
	}
}

// decide takes one decision and acts on it, as session.run does between two changes.
func (d *driver) decide() {
	ctx := context.Background()
	d.clock.SetTime(d.w.now)
	snapshot := d.s.snapshot()
	next, err := d.s.decide(&snapshot)
	if err != nil {
		d.err = err
		return
	}
	d.s.report(&snapshot, next)
	if d.before != nil {
		d.before(next, &snapshot)
	}
	if a, ends := next.(stop); ends {
		d.result = d.s.stopped(ctx, &snapshot, a)
	}
	err = d.s.perform(ctx, &snapshot, next)
	// A conflict is a stale view: the next decision is taken on a newer one.
	if err != nil && !apierrors.IsConflict(err) {
		d.err = err
	}
}
