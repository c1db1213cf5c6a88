package diagnose

import (
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Input is what is known about a workload at one moment.
type Input struct {
	// Workload is the workload's kind and name, such as {Deployment web}.
	Workload  Object
	Namespace string
	// Pods are the pods of the newest version, and Others are all other pods. Both include pods that have ended or are ending.
	Pods, Others []*corev1.Pod
	// ReplicaSet is the ReplicaSet of the newest version, or nil if there is none.
	ReplicaSet *appsv1.ReplicaSet
	// OldSets are the other ReplicaSets.
	OldSets []*appsv1.ReplicaSet
	// Deployment is nil for another kind of workload.
	Deployment *appsv1.Deployment
	Situation  Situation
	// UID is the UID of a workload of another kind. Missing is how many pods it lacks. Only its own events explain why it
	// creates none.
	UID     types.UID
	Missing int
	// Stale are pods of older versions that a StatefulSet waits for before it goes on to the newest, perhaps in vain.
	// Recovering are those that were ready before and may become ready again.
	Stale, Recovering []*corev1.Pod
	// Events are the events of the pods and of the workload, as far as they were fetched.
	Events []*corev1.Event
	// Claims are the claims of pods that wait for a node, as far as they were read. NoClaims says that claims cannot be read.
	Claims   []*corev1.PersistentVolumeClaim
	NoClaims bool
	// Blind says that events cannot be read, so their absence proves nothing.
	Blind bool
	// Facts are causes that the workload itself shows.
	Facts []Fact
	// Deadline is how long the workload may take to make progress, or 0 for no limit.
	Deadline time.Duration
	// Seen comes from the last report. It holds when states began that the objects do not date. It is nil for a single look:
	// such a state then began when the pod became unready.
	Seen Seen
	// Proven comes from the last report. It is the longest time that a pod took to become ready, including pods that are gone
	// by now. It is nil if no pod has become ready yet.
	Proven *time.Duration
	// Replaced comes from the last report.
	Replaced Replaced
	// After is when the command began. Older evidence does not count. It is zero for a single look, for which everything
	// counts.
	After time.Time
	// Patience is the least grace of every state that may pass.
	Patience time.Duration
	// Retries says that a controller that was refused is made to try again. Retried is when that was last done, or zero.
	Retries bool
	Retried time.Time
	// LossIsChance says that no more new pods have lost their readiness than chance explains.
	LossIsChance bool
	// Runs and Room come from the last report.
	Runs map[Key]int32
	Room time.Time
	Now  time.Time
}

// Fact is a cause that is already known.
type Fact struct{ ID, Message string }

// Key is a state of a pod or another object.
type Key struct {
	UID           types.UID
	Container, ID string
}

// Seen holds when each state was first seen.
type Seen map[Key]time.Time

// Report is the result of a diagnosis.
type Report struct {
	// Findings lists fatal findings first. Among findings of the same severity, the one that concerns most pods comes first.
	Findings []Finding
	// Seen, Proven and Replaced are for the next input.
	Seen     Seen
	Proven   *time.Duration
	Replaced Replaced
	// Runs counts the runs of containers that began before the command. Room is when a pod was last seen to go that held room
	// another needs. Both are for the next input.
	Runs map[Key]int32
	Room time.Time
	// Next is when the earliest running grace ends, or zero if none is running.
	Next time.Time
	// Decides is from when on a failing attempt is final, or zero if no attempt is awaited.
	Decides time.Time
	// Refused is the object whose controller should try again. Retry is from when on, or zero if it need not.
	Refused Object
	Retry   time.Time
}

// Fatal returns the gravest finding if it is fatal, or nil.
func (r *Report) Fatal() *Finding {
	if len(r.Findings) == 0 || r.Findings[0].Severity != Fatal {
		return nil
	}
	return &r.Findings[0]
}

// Diagnose returns what is in the way of a workload.
func Diagnose(in *Input) Report {
	d := &diagnosis{Input: in, events: byObject(in.Events), report: Report{Seen: Seen{}}, groups: map[groupKey]*group{}}
	d.carry()
	d.prove()
	d.remember()
	d.lend()
	for _, pod := range slices.Concat(in.Pods, d.inTheWay()) {
		for _, s := range d.signalsOf(pod) {
			d.add(&s)
		}
	}
	for _, s := range slices.Concat(d.refused(), d.undeleted(), d.blocked(), d.replaced()) {
		d.add(&s)
	}
	if slices.ContainsFunc(slices.Collect(maps.Values(d.groups)), func(g *group) bool { return g.first.replaced > 0 }) {
		delete(d.groups, groupKey{id: PodFailed}) // the other finding covers the same pods
	}
	for _, fact := range in.Facts {
		d.add(&signal{id: fact.ID, message: fact.Message, object: in.Workload})
	}
	return d.conclude()
}

// inTheWay returns the pods of other versions that may hold up the newest one. These are pods that are ending, and pods whose
// node is silent. No other pod takes the place of a StatefulSet's or DaemonSet's pod. A Deployment's pod is missing from the
// pods that have to be ready.
func (d *diagnosis) inTheWay() []*corev1.Pod {
	var found []*corev1.Pod
	for _, pod := range d.Others {
		if pod.DeletionTimestamp != nil || isLeft(pod) && Silent(pod) {
			found = append(found, pod)
		}
	}
	return found
}

// cause looks up a cause. An ID that is not in the catalog is Undetermined.
func (d *diagnosis) cause(id string) Cause {
	if d.catalog == nil {
		d.catalog = map[string]Cause{}
		for _, cause := range Causes() {
			d.catalog[cause.ID] = cause
		}
	}
	if cause, found := d.catalog[id]; found {
		return cause
	}
	return d.catalog[Undetermined]
}

type groupKey struct{ id, container, subject string }

// group collects the signals of one cause. first is the one that becomes fatal soonest.
type group struct {
	first *signal
	cause Cause
	// until is when the group becomes fatal. late is when it is worth reporting before that.
	until, late time.Time
	objects     []Object
	pods        int
	nodes       []string
}

// diagnosis is one run of Diagnose.
type diagnosis struct {
	*Input
	events map[types.UID][]*corev1.Event
	report Report
	// catalog is filled on first use.
	catalog map[string]Cause
	groups  map[groupKey]*group
	// room caches the result of madeRoom.
	room *time.Time
}

// began returns since when a state has been known, from the objects or from an earlier look.
func (d *diagnosis) began(s *signal) time.Time {
	key := Key{s.uid, s.container, s.id}
	since, seen := d.report.Seen[key]
	if !seen {
		since = d.Now
		if ready := notReady(s.pod); d.Seen == nil && ready != nil {
			since = ready.LastTransitionTime.Time
		}
		d.report.Seen[key] = since
	}
	if !s.since.IsZero() {
		since = s.since
	}
	if s.pod != nil {
		since = latest(since, s.pod.CreationTimestamp.Time) // by the API server's clock; the node's may be behind
	}
	return since
}

func (d *diagnosis) add(s *signal) {
	cause := d.cause(s.id)
	until, late := d.due(s, cause), d.began(s).Add(s.late)
	key := groupKey{s.id, s.container, s.subject}
	g := d.groups[key]
	if g == nil {
		g = &group{cause: cause}
		d.groups[key] = g
	}
	if g.first == nil || until.Before(g.until) || until.Equal(g.until) && s.object.Name < g.first.object.Name {
		g.first, g.until, g.late = s, until, late
	}
	g.objects = append(g.objects, s.object)
	if s.pod != nil {
		g.pods++
	}
	if s.node != "" && !slices.Contains(g.nodes, s.node) {
		g.nodes = append(g.nodes, s.node)
	}
}

func (d *diagnosis) conclude() Report {
	for _, g := range d.groups {
		f := d.finding(g)
		if f.Grace != nil && f.Severity == Warning {
			d.wake(g.until)
		}
		if f.Severity == Warning && g.first.late > 0 {
			d.wake(g.late)
		}
		d.report.Findings = append(d.report.Findings, f)
	}
	slices.SortFunc(d.report.Findings, func(a, b Finding) int {
		switch {
		case a.Severity != b.Severity:
			return strings.Compare(string(a.Severity), string(b.Severity)) // fatal, warning
		case a.Pods != b.Pods:
			return b.Pods - a.Pods
		}
		return strings.Compare(a.ID+a.Container+a.Message, b.ID+b.Container+b.Message)
	})
	return d.report
}

// wake makes the next look happen at a given time, unless it is past or an earlier one is planned.
func (d *diagnosis) wake(at time.Time) {
	if at.After(d.Now) && (d.report.Next.IsZero() || at.Before(d.report.Next)) {
		d.report.Next = at
	}
}

func byObject(events []*corev1.Event) map[types.UID][]*corev1.Event {
	all := map[types.UID][]*corev1.Event{}
	for _, event := range events {
		all[event.InvolvedObject.UID] = append(all[event.InvolvedObject.UID], event)
	}
	return all
}
