package rollout

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// scaling is what holds when others change replicas in mid-rollout: of the pods that are ready, the controllers delete
// none below what the limits leave of the smaller of both numbers of replicas.
//
// One pod may be missing even where none should: a gate of so many percent may come to no pod at all when there are
// fewer replicas, and where maxSurge is zero too the controller makes that one pod (its fencepost). With R=4, one new
// pod and a gate of 25%/0 this is what scaling to R=1 meets. No pair of values stands still with N new pods at one R and
// is not both zero at every smaller one.
//
// More may be missing for as long as the present gate is not the one under which the ReplicaSets were last sized: the
// controller shares a change out by the most pods of then (its annotation max-replicas). New pods that were made with
// a surge of 11 at R=25 shrink to 4 at R=10, not to 6, while the gate of 0/64% that a step ends with lets 6 old pods go.
// So as many may be missing as there were extra pods.
//
// And a gate in percent grows with replicas: of 8, 38% are the 3 pods that may be missing; of 18 they are 6, until a
// client moves the gate. So the limits count in proportion to the fewest replicas that there were. In the same way 20% are two
// pods of 10 and but one of 9: a gate that was moved at 10 lets both be missing at 9, until a client moves it.
//
// It holds up to a hundred replicas. Above, not every number of pods is a whole percentage; a gate that has to be a count
// (23 of 150) stays one when replicas fall, and where it is not far from all of them (19) most old pods go at once.
type scaling struct {
	limits plan.Limits
	// before are the replicas of which the ReplicaSets may still be; fewest and most are the extremes since the start.
	before, fewest, most int32
}

func (f *scaling) floor(r *run) int32 {
	replicas := *r.w.d.Spec.Replicas
	f.fewest, f.most = min(f.fewest, replicas), max(f.most, replicas)
	missing := f.resolved(r, replicas).Unavailable
	missing = max(missing, 1, (f.resolved(r, f.fewest).Unavailable*replicas+f.fewest-1)/f.fewest, f.resolved(r, f.most).Unavailable)
	return min(f.before, replicas) - missing - f.resolved(r, f.most).Surge
}

func (f *scaling) resolved(r *run, replicas int32) plan.Resolved {
	resolved, err := f.limits.At(replicas)
	if err != nil {
		r.Fatalf("%v", err)
	}
	return resolved
}

func (f *scaling) deletes(r *run, pod *corev1.Pod) {
	if podReady(pod) && r.w.ready()-1 < f.floor(r) {
		r.failf("the controller deletes %s, which leaves %d ready where at least %d must be", pod.Name, r.w.ready()-1, f.floor(r))
	}
}

// after forgets the replicas from before once the controller has acted on the present ones and so many pods are ready.
func (f *scaling) after(r *run) {
	observed := r.w.d.Status.ObservedGeneration >= r.w.d.Generation && len(r.w.resized) == 0
	if replicas := *r.w.d.Spec.Replicas; observed && r.w.ready() >= replicas {
		f.before = replicas
	}
}

// TestScalingMeanwhileKeepsTheFloor changes replicas at random moments, with the client alive or dead.
func TestScalingMeanwhileKeepsTheFloor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawScenario(t)
		c.BrokenOld, c.Fresh = 0, rapid.Bool().Draw(t, "fresh")
		c.Replicas = min(c.Replicas, 100)
		c.Scales = rapid.IntRange(1, 4).Draw(t, "scales")
		scalingRun(t, c).drive()
	})
}

// scalingRun is a run whose replicas change, and whose floor is checked all the time.
func scalingRun(t fatal, c scenario) *run {
	r := newRun(t, c)
	rule := &scaling{limits: plan.LimitsOf(c.Own.Strategy).Override(c.Options.MaxSurge, c.Options.MaxUnavailable), before: c.Replicas, fewest: c.Replicas, most: c.Replicas}
	r.check = rule.after
	deleted := r.w.deleted
	r.w.deleted = func(pod *corev1.Pod) { deleted(pod); rule.deletes(r, pod) }
	r.scaled = func(before int32) {
		rule.before = min(rule.before, before)
		rule.fewest, rule.most = min(rule.fewest, before), max(rule.most, before)
	}
	return r
}

// justAfter is a scenario whose one pod is new and ready when somebody scales to seven, a moment before the client sees that it is
// done. Two of the six later pods never become ready, and nobody is there any more to judge them.
func justAfter() scenario {
	return scenario{
		Replicas: 1, Own: settingsWith(intstr.FromInt32(5), intstr.FromString("20%"), 1), Broken: 15, Kills: 1, Scales: 3, Seed: 2598,
		Options: StartOptions{Steps: plan.Steps{everything()}, OnFailure: plan.OnFailureHold},
	}
}

// A rollout does not answer for pods that were made after it had ended.
func TestPodsMadeAfterTheEndAreNotTheRollouts(t *testing.T) {
	t.Parallel()
	c := justAfter()
	c.Own.ProgressDeadlineSeconds = ptr.To[int32](GateProgressDeadlineSeconds)
	r := scalingRun(t, c)
	r.drive()
	if replicas := *r.w.d.Spec.Replicas; r.client.result.Outcome != Done || replicas != 7 {
		t.Errorf("%s with %d replicas: the scenario is another one now", r.client.result.Outcome, replicas)
	}
	var unseen int
	seen := r.client.s.source.pods()
	for _, pod := range r.w.pods {
		if !slices.ContainsFunc(seen, func(s *corev1.Pod) bool { return s.UID == pod.UID }) {
			unseen++
		}
	}
	if unseen != 6 {
		t.Errorf("the client has not seen %d of the pods, not 6", unseen)
	}
}

// A rollout does answer for every pod that it has seen.
func TestPodsSeenAtTheEndAreTheRollouts(t *testing.T) {
	t.Parallel()
	r := scalingRun(t, justAfter())
	pod := r.w.pods[0]
	r.client.open()
	r.w.broken[pod.UID] = true
	r.w.broken["made later"] = true
	if r.heal(); !r.w.broken[pod.UID] || r.w.broken["made later"] {
		t.Errorf("broken are %v: the pod that was seen, and no other, stays so", r.w.broken)
	}
}
