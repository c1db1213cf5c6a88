package rollout

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// scenario is a rollout and what goes wrong during it.
type scenario struct {
	Replicas int32
	Own      Settings
	Options  StartOptions
	// Broken is how many of a hundred new pods never become ready, BrokenOld how many old pods never were.
	Broken, BrokenOld int
	// Kills is how often the client dies.
	Kills int
	// Aborts lets a client that takes over go back instead of on.
	Aborts bool
	// Scales is how often replicas change.
	Scales int
	// Holds is how often somebody holds the rollout, which then is resumed.
	Holds int
	// Losses is how often a pod loses its readiness, or is deleted by somebody.
	Losses int
	// Fresh lets the client see everything as it is.
	Fresh bool
	Seed  uint64
}

func (c scenario) String() string {
	return fmt.Sprintf("R=%d own %v min %d deadline %v; steps %s limits %v/%v hold %s on failure %s; broken %d%% old %d; kills %d aborts %v scales %d holds %d losses %d seed %d",
		c.Replicas, limitsText(plan.LimitsOf(c.Own.Strategy)), c.Own.MinReadySeconds, ptr.Deref(c.Own.ProgressDeadlineSeconds, 0), c.Options.Steps,
		c.Options.MaxSurge, c.Options.MaxUnavailable, c.Options.Hold, c.Options.OnFailure, c.Broken, c.BrokenOld, c.Kills, c.Aborts, c.Scales, c.Holds, c.Losses, c.Seed)
}

func limitsText(l plan.Limits) string { return l.Surge.String() + "/" + l.Unavailable.String() }

func drawLimit(t *rapid.T, name string, most int) intstr.IntOrString {
	if rapid.Bool().Draw(t, name+" in percent") {
		return intstr.FromString(fmt.Sprintf("%d%%", rapid.IntRange(0, 100).Draw(t, name)))
	}
	return intstr.FromInt(rapid.IntRange(0, most).Draw(t, name))
}

func drawLimits(t *rapid.T, name string) (surge, unavailable intstr.IntOrString) {
	surge, unavailable = drawLimit(t, name+" surge", 6), drawLimit(t, name+" unavailable", 6)
	if isNought(surge) && isNought(unavailable) {
		surge = intstr.FromInt32(1)
	}
	return surge, unavailable
}

func drawSteps(t *rapid.T, replicas int32) plan.Steps {
	var steps plan.Steps
	switch rapid.IntRange(0, 3).Draw(t, "kind of steps") {
	case 0:
		return plan.DefaultSteps()
	case 1:
		for _, count := range sortedDistinct(t, "counts", 1, int(replicas)+3) {
			steps = append(steps, intstr.FromInt(count))
		}
	case 2:
		for _, percent := range sortedDistinct(t, "percents", 1, 100) {
			steps = append(steps, intstr.FromString(fmt.Sprintf("%d%%", percent)))
		}
	default:
		steps = plan.Steps{everything()}
	}
	return steps
}

func sortedDistinct(t *rapid.T, name string, low, high int) []int {
	values := rapid.SliceOfNDistinct(rapid.IntRange(low, high), 1, min(5, high-low+1), rapid.ID[int]).Draw(t, name)
	slices.Sort(values)
	return values
}

func drawScenario(t *rapid.T) scenario {
	c := scenario{Replicas: int32(rapid.IntRange(1, 30).Draw(t, "R"))}
	if rapid.IntRange(0, 19).Draw(t, "large") == 19 {
		c.Replicas = int32(rapid.IntRange(101, 150).Draw(t, "large R"))
	}
	surge, unavailable := drawLimits(t, "own")
	c.Own = settingsWith(surge, unavailable, int32(rapid.IntRange(0, 5).Draw(t, "minReadySeconds")))
	c.Own.ProgressDeadlineSeconds = rapid.SampledFrom([]*int32{ptr.To[int32](GateProgressDeadlineSeconds), ptr.To[int32](600), ptr.To[int32](20)}).Draw(t, "deadline")
	c.Options = StartOptions{Steps: drawSteps(t, c.Replicas), OnFailure: plan.OnFailureRollback}
	if rapid.Bool().Draw(t, "limits of its own") {
		surge, unavailable := drawLimits(t, "rollout's")
		switch rapid.IntRange(0, 2).Draw(t, "which") {
		case 0:
			c.Options.MaxSurge = &surge
		case 1:
			c.Options.MaxUnavailable = &unavailable
		default:
			c.Options.MaxSurge, c.Options.MaxUnavailable = &surge, &unavailable
		}
	}
	c.Options.Hold = time.Duration(rapid.SampledFrom([]int{0, 0, 1, 10}).Draw(t, "hold")) * time.Second
	if rapid.IntRange(0, 3).Draw(t, "breaks") == 3 {
		c.Broken = rapid.IntRange(1, 100).Draw(t, "broken")
		c.Options.OnFailure = rapid.SampledFrom([]plan.OnFailure{plan.OnFailureRollback, plan.OnFailureHold}).Draw(t, "on failure")
	}
	c.BrokenOld = rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "broken old")
	c.Kills = rapid.SampledFrom([]int{0, 1, 5}).Draw(t, "kills")
	c.Aborts = rapid.IntRange(0, 4).Draw(t, "aborts") == 4
	c.Seed = rapid.Uint64().Draw(t, "seed")
	return c
}

// fatal is what a property needs of a test.
type fatal interface {
	Fatalf(format string, args ...any)
}

// run is a scenario under way: the controllers, the kubelets, the client and the clock each act at random moments.
type run struct {
	fatal
	scenario
	w      *world
	api    *apiServer
	client *driver
	random *rand.Rand
	// seen is the Deployment controller's view.
	seenDeployment *appsv1.Deployment
	seenSets       []*appsv1.ReplicaSet
	setsSerial     int64
	idle           view
	// check is called after every event.
	check func(*run)
	// lost is how many pods were lost since all that should be were ready last, and losses how many in all.
	lost, losses int32
	// scaled is told the replicas from before they are changed.
	scaled func(before int32)
	trace  []func() string
	events int
}

// view is what a sync of the Deployment controller depends on.
type view struct {
	d      *appsv1.Deployment
	asOf   int64
	serial int64
}

func newRun(t fatal, c scenario) *run {
	r := &run{fatal: t, scenario: c, random: rand.New(rand.NewPCG(c.Seed, 0)), w: newWorld(c.Replicas, c.Own)}
	r.api = &apiServer{world: r.w}
	client, err := r.api.client()
	if err != nil {
		t.Fatalf("%v", err)
	}
	r.client = newDriver(r.w, client)
	for _, pod := range r.w.pods[:min(c.BrokenOld, len(r.w.pods))] {
		r.w.broken[pod.UID] = true
		r.w.setReady(pod, corev1.ConditionFalse)
	}
	r.w.settle()
	r.w.breaks = func(rs *appsv1.ReplicaSet) bool { return imageOf(rs) == "web:2" && r.random.IntN(100) < c.Broken }
	r.w.deleted = func(pod *corev1.Pod) { r.note("controller deletes %s, ready %v", pod.Name, podReady(pod)) }
	r.seenDeployment, r.seenSets = r.w.d, r.w.sets
	return r
}

// note keeps what happened for a failure's message; it is put into words only then.
func (r *run) note(format string, args ...any) {
	w, events := *r.w, r.events
	r.trace = append(r.trace[max(0, len(r.trace)-60):], func() string {
		return fmt.Sprintf("%4d %s ", events, w.now.Format("15:04:05.0")) + fmt.Sprintf(format, args...) + ": " + w.String()
	})
}

func (r *run) failf(format string, args ...any) {
	lines := make([]string, len(r.trace))
	for i, line := range r.trace {
		lines[i] = line()
	}
	r.Fatalf("%s: %s\n%s\nthe last events:\n%s", fmt.Sprintf(format, args...), r.w, r.scenario, strings.Join(lines, "\n"))
}

// String describes the world in a line.
func (w *world) String() string {
	text := fmt.Sprintf("R=%d gate %s", workload.ReplicasOf(w.d), limitsText(plan.LimitsOf(w.d.Spec.Strategy)))
	for _, rs := range w.sets {
		all, ready := w.podsOf(rs)
		text += fmt.Sprintf(" [%s size %d pods %d ready %d available %d]",
			rs.Annotations[workload.RevisionAnnotation], *rs.Spec.Replicas, all, ready, rs.Status.AvailableReplicas)
	}
	return text
}

// event lets one of them act.
func (r *run) event() {
	r.events++
	before := r.w.serial
	what := ""
	switch n := r.random.IntN(100); {
	case r.Scales > 0 && r.random.IntN(100) == 0:
		r.Scales--
		what = "somebody scales"
		r.scaled(*r.w.d.Spec.Replicas)
		r.w.scale(int32(1 + r.random.IntN(30)))
	case r.Losses > 0 && r.random.IntN(100) == 0:
		what = "a pod is lost"
		r.lose()
	case n < 12:
		r.seenDeployment = r.w.d
		what = "controller sees deployment"
	case n < 24:
		r.seenSets, r.setsSerial = r.w.sets, r.w.serial
		what = "controller sees sets"
	case n < 40:
		if r.lagging() {
			break
		}
		if idle := (view{r.seenDeployment, r.setsSerial, r.w.serial}); r.idle != idle {
			r.w.syncDeployment(r.seenDeployment, r.seenSets)
			r.idle = idle // should nothing have come of it, nothing will before something changes
		}
		what = "deployment controller"
	case n < 56:
		what = "replicaset controller"
		r.w.resync(r.w.sets[r.random.IntN(len(r.w.sets))])
	case n < 72:
		what = "kubelet"
		r.kubelet()
	case n < 80:
		r.w.now = r.w.now.Add(time.Duration(r.random.IntN(1000)) * time.Millisecond)
	case n < 92:
		r.client.refresh(r.random.IntN(3))
	default:
		what = "client"
		r.act()
	}
	if r.client.err != nil {
		r.failf("the client fails: %v", r.client.err)
	}
	if r.w.serial != before {
		r.note("%s", what)
		r.check(r)
	}
}

// lose takes a pod's readiness, or the pod.
func (r *run) lose() {
	if len(r.w.pods) == 0 {
		return
	}
	r.Losses--
	r.lost++
	r.losses++
	if pod := r.w.pods[r.random.IntN(len(r.w.pods))]; r.random.IntN(3) == 0 {
		r.w.storePod(pod.UID, nil)
	} else if podReady(pod) {
		r.w.setReady(pod, corev1.ConditionFalse)
	}
}

// whole tells whether all pods are ready, and no ReplicaSet lacks one.
func (w *world) whole() bool {
	for _, rs := range w.sets {
		if all, ready := w.podsOf(rs); ready < all || ready < *rs.Spec.Replicas {
			return false
		}
	}
	return true
}

// lagging tells of a weakness of the controller's own, which kubectl rollout undo shares: when it turns back to a
// ReplicaSet whose status does not yet know that it has become smaller, it takes the difference for pods to spare.
func (r *run) lagging() bool {
	if imageOfTemplate(r.seenDeployment) != "web:1" {
		return false
	}
	for _, rs := range r.seenSets {
		if rs.Status.AvailableReplicas > *rs.Spec.Replicas {
			return true
		}
	}
	return false
}

func imageOfTemplate(d *appsv1.Deployment) string { return d.Spec.Template.Spec.Containers[0].Image }

func (r *run) kubelet() {
	if imageOfTemplate(r.w.d) == "web:1" {
		// An old version that was not complete before cannot be complete again unless its pods heal.
		for _, pod := range r.w.pods {
			r.w.broken[pod.UID] = r.w.broken[pod.UID] && pod.Labels["pod-template-hash"] != r.w.setOf("web:1").Labels["pod-template-hash"]
		}
	}
	var waiting []*corev1.Pod
	for _, pod := range r.w.pods {
		if !podReady(pod) && (len(pod.Status.ContainerStatuses) == 0 || !r.w.broken[pod.UID]) {
			waiting = append(waiting, pod)
		}
	}
	if len(waiting) > 0 {
		r.w.runPod(waiting[r.random.IntN(len(waiting))].UID)
	}
}

// act is a decision of the client, or its death and another process in its place.
func (r *run) act() {
	if r.Kills > 0 && r.random.IntN(20) == 0 {
		r.Kills--
		r.takeUp()
		return
	}
	if r.Holds > 0 && r.random.IntN(20) == 0 {
		r.Holds--
		_, err := r.client.engine.Hold(context.Background(), "Deployment", worldKey)
		r.note("somebody holds it: %v", err)
		return
	}
	if r.client.result != nil {
		if r.client.result.Outcome == Paused {
			r.client.takeUp(resuming)
			return
		}
		if r.client.result.Outcome == Failed {
			r.note("left standing: %s", r.client.result.Message)
			r.client.takeUp(returning)
		}
		return
	}
	if r.Fresh {
		r.client.refreshAll()
	}
	r.client.decide()
}

func (r *run) takeUp() {
	as := resuming
	if r.Aborts && r.random.IntN(2) == 0 {
		as = returning
	}
	r.note("client dies, another comes up (phase %d)", as)
	r.client.takeUp(as)
}

// drive runs a scenario to its end and checks what is left behind.
func (r *run) drive() {
	err := r.client.start(Change{Images: []podtemplate.ImageChange{{Image: "web:2"}}}, r.Options)
	if err != nil {
		return // the steps cross at this number of replicas, which is refused
	}
	bound := 20000 + 2000*max(30, int(r.Replicas))
	for !r.over() {
		if r.event(); r.events > bound {
			if r.Scales == 0 && r.w.wedged() {
				return
			}
			r.failf("no end after %d events", r.events)
		}
	}
	r.ended()
}

// wedged tells of a dead end of the native controller's own: after two changes of replicas the only ReplicaSet with pods
// is not the wanted one, and happens to have the right size. The controller then does not note on it that it is of that size
// (scale in its sync.go), takes every look for a scaling event, and never rolls out again until replicas change once
// more. Where there is a progress deadline the engine goes back then, which is all that can be done.
func (w *world) wedged() bool {
	var active *appsv1.ReplicaSet
	for _, rs := range w.sets {
		if *rs.Spec.Replicas > 0 && active != nil {
			return false
		}
		if *rs.Spec.Replicas > 0 {
			active = rs
		}
	}
	return active != nil && imageOf(active) != imageOfTemplate(w.d) &&
		*active.Spec.Replicas == *w.d.Spec.Replicas && active.Annotations[desiredAnnotation] != strconv.Itoa(int(*w.d.Spec.Replicas))
}

// over tells whether nothing is going to happen any more. A client that only waits for a new version whose new pods,
// after a late change of replicas, are broken is right to fail, and there is nothing to go back to.
func (r *run) over() bool {
	if r.client.result == nil || r.client.result.Outcome == Paused {
		return false
	}
	if r.client.result.Outcome != Failed {
		return true
	}
	return r.client.awaits && r.Broken > 0 && imageOfTemplate(r.w.d) == "web:2"
}

// ended checks that nothing of the rollout is left.
func (r *run) ended() {
	outcome := r.client.result.Outcome
	if outcome == Failed {
		return
	}
	if outcome != Done && outcome != RolledBack {
		r.failf("outcome %s: %s", outcome, r.client.result.Message)
	}
	if outcome == RolledBack && r.Broken == 0 && !r.Aborts && r.losses == 0 && *r.Own.ProgressDeadlineSeconds == GateProgressDeadlineSeconds {
		r.failf("rolled back without a reason: %v", r.client.result.Finding)
	}
	if got := SettingsOf(r.w.d); !apiequality.Semantic.DeepEqual(got, r.Own) {
		r.failf("the Deployment is left with %+v", got)
	}
	if _, found := r.w.d.Annotations[Annotation]; found {
		r.failf("the annotation is left behind")
	}
	if r.scaled != nil || r.losses > 0 {
		r.check = func(*run) {}
		r.w.deleted = nil
		r.heal()
		r.w.settle() // replicas or pods may have changed after the client had seen the end
	}
	if r.w.ready() != *r.w.d.Spec.Replicas || len(r.w.pods) != int(*r.w.d.Spec.Replicas) {
		r.failf("not complete")
	}
	image := imageOfTemplate(r.w.d)
	if !r.client.awaits && outcome == RolledBack != (image == "web:1") {
		r.failf("%s with %s", outcome, image)
	}
}

// heal lets the pods become ready that the client cannot have judged: it had ended before they were made, or before it saw them.
// The client answers for every pod that it has seen.
func (r *run) heal() {
	seen := map[types.UID]bool{}
	for _, pod := range r.client.s.source.pods() {
		seen[pod.UID] = true
	}
	r.w.breaks = nil
	for uid := range r.w.broken {
		r.w.broken[uid] = r.w.broken[uid] && seen[uid]
	}
}

// fixedScale holds for a Deployment whose replicas nobody changes.
type fixedScale struct {
	limits plan.Resolved
	floor  int32
	// record is that of the Deployment judged last, nil where its gate is open.
	judged *appsv1.Deployment
	record *Record
}

func newFixedScale(r *run) *fixedScale {
	limits := plan.LimitsOf(r.Own.Strategy).Override(r.Options.MaxSurge, r.Options.MaxUnavailable)
	resolved, err := limits.At(r.Replicas)
	if err != nil {
		r.Fatalf("%v", err)
	}
	return &fixedScale{limits: resolved, floor: r.Replicas - resolved.Unavailable}
}

// after is checked after every event.
func (f *fixedScale) after(r *run) {
	if total := int32(len(r.w.pods)); total > r.Replicas+f.limits.Surge {
		r.failf("%d pods where at most %d may exist", total, r.Replicas+f.limits.Surge)
	}
	var sizes int32
	for _, rs := range r.w.sets {
		sizes += *rs.Spec.Replicas
	}
	if sizes > r.Replicas+f.limits.Surge {
		r.failf("ReplicaSets of %d pods where at most %d may exist", sizes, r.Replicas+f.limits.Surge)
	}
	ready := r.w.ready()
	if r.w.whole() {
		r.lost = 0
	}
	if ready < f.floor-int32(r.BrokenOld)-r.lost {
		r.failf("%d ready where at least %d must be", ready, f.floor)
	}
	if f.judged != r.w.d {
		f.judged, f.record = r.w.d, nil
		if r.w.d.Spec.MinReadySeconds == GateMinReadySeconds {
			f.record, _ = decodeRecord(r.w.d.Annotations[Annotation])
		}
	}
	if current := r.w.setOf("web:2"); f.record != nil && current != nil {
		target := f.record.Target(r.Replicas)
		if all, _ := r.w.podsOf(current); all > target || *current.Spec.Replicas > target {
			r.failf("%d new pods in a step to %d", all, target)
		}
	}
}

// deletes is checked at every pod that a controller deletes: none that is ready goes where that breaks the floor, even
// if old pods are broken.
func (f *fixedScale) deletes(r *run, pod *corev1.Pod) {
	if podReady(pod) && r.w.ready()-1 < f.floor-r.lost {
		r.failf("the controller deletes %s, which leaves %d ready where at least %d must be", pod.Name, r.w.ready()-1, f.floor)
	}
}

// decides checks that a step ends with exactly its pods.
func (f *fixedScale) decides(r *run, next action, snapshot *Snapshot) {
	switch a := next.(type) {
	case move:
		if a.step == r.client.s.record.Step {
			return
		}
	case finish:
		if a.outcome != Done {
			return
		}
	default:
		return
	}
	if snapshot.deployment().ResourceVersion != r.w.d.ResourceVersion {
		return // the write is about to be refused
	}
	target := r.client.s.record.Target(r.Replicas)
	all, ready := r.w.podsOf(r.w.setOf("web:2"))
	if r.lost > 0 {
		return // the client may not know it yet
	}
	if all != target || ready != target || int32(len(r.w.pods)) != r.Replicas {
		r.failf("the step to %d ends with %d new pods, %d of them ready, of %d", target, all, ready, len(r.w.pods))
	}
}

// TestRolloutKeepsItsLimits drives the real decisions through a model of the controllers, in random order.
func TestRolloutKeepsItsLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fixedScaleRun(t, drawScenario(t)).drive()
	})
}

// fixedScaleRun is a run whose limits are checked all the time.
func fixedScaleRun(t fatal, c scenario) *run {
	r := newRun(t, c)
	rule := newFixedScale(r)
	r.check = rule.after
	deleted := r.w.deleted
	r.w.deleted = func(pod *corev1.Pod) { deleted(pod); rule.deletes(r, pod) }
	r.client.before = func(next action, snapshot *Snapshot) { rule.decides(r, next, snapshot) }
	return r
}

// TestLostPodsMakeNoStepLarger lets pods lose their readiness, or be deleted, at random moments: as many may be missing
// besides, but no step gets more new pods than it asks for, and never are there more than the ceiling.
func TestLostPodsMakeNoStepLarger(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawScenario(t)
		c.BrokenOld = 0
		c.Losses = rapid.IntRange(1, 12).Draw(t, "losses")
		c.Holds = rapid.IntRange(0, 3).Draw(t, "holds")
		fixedScaleRun(t, c).drive()
	})
}
