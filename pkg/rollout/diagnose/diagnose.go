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

// Input is what is known of a workload at one moment.
type Input struct {
	// Workload is its kind and name, such as {Deployment web}.
	Workload  Object
	Namespace string
	// Pods are those of the newest version, Others all the rest. Those that have ended or are ending belong to them, too.
	Pods, Others []*corev1.Pod
	// ReplicaSet is that of the newest version, nil where there is none.
	ReplicaSet *appsv1.ReplicaSet
	// OldSets are the other ReplicaSets.
	OldSets []*appsv1.ReplicaSet
	// Deployment is nil for another kind of workload.
	Deployment *appsv1.Deployment
	Situation  Situation
	// UID is that of another kind of workload, and Missing how many pods it lacks: only its own events tell why it makes none.
	UID     types.UID
	Missing int
	// Stale are pods of older versions that a StatefulSet waits for, perhaps in vain, before it goes on to the newest.
	// Recovering are those that were ready before, and may become so again.
	Stale, Recovering []*corev1.Pod
	// Events are those of the pods and of the workload, as far as they were fetched.
	Events []*corev1.Event
	// Claims are those of pods that wait for a node, as far as they were read. NoClaims tells that they cannot be.
	Claims   []*corev1.PersistentVolumeClaim
	NoClaims bool
	// Blind tells that events cannot be read: that there are none says nothing then.
	Blind bool
	// Facts are causes that the workload itself shows.
	Facts []Fact
	// Deadline is how long the workload may take to progress, 0 where it is not bounded.
	Deadline time.Duration
	// Seen is what the last report had: since when something has been so, for what the objects do not tell. Nil is for who
	// looks but once: then it has been so for as long as the pod has not been ready.
	Seen Seen
	// Proven is what the last report had: the longest time that a pod took to become ready, also of those that are gone by now.
	// Nil is for what none has told yet.
	Proven *time.Duration
	// Replaced is what the last report had.
	Replaced Replaced
	// After is from when evidence counts, which is when the command began. It is zero for who looks but once: all counts then.
	After time.Time
	// Patience is the least that every state is given that may come good.
	Patience time.Duration
	// Retries tells that a controller that was refused is made to try again, and Retried when it was last; zero where it was not.
	Retries bool
	Retried time.Time
	// LossIsChance tells that no more new pods have lost their readiness than may be by chance.
	LossIsChance bool
	// Runs and Room are what the last report had.
	Runs map[Key]int32
	Room time.Time
	Now  time.Time
}

// Fact is a cause that is known already.
type Fact struct{ ID, Message string }

// Key is a state of a pod or another object.
type Key struct {
	UID           types.UID
	Container, ID string
}

// Seen is since when states have been seen.
type Seen map[Key]time.Time

// Report is what is to be said.
type Report struct {
	// Findings are the fatal ones first, and of those alike the one of most pods.
	Findings []Finding
	// Seen, Proven and Replaced are for the next input.
	Seen     Seen
	Proven   *time.Duration
	Replaced Replaced
	// Runs counts the runs of containers that were begun before the command was. Room is when a pod was last seen to have gone
	// that held what another needs. Both are for the next input.
	Runs map[Key]int32
	Room time.Time
	// Next is when a grace ends that is running, zero where none is.
	Next time.Time
	// Decides is from when on an attempt that fails is final, zero where none is awaited.
	Decides time.Time
	// Refused is whose controller is to try again, and Retry from when on; zero where it need not.
	Refused Object
	Retry   time.Time
}

// Fatal is the gravest finding where that is fatal, else nil.
func (r *Report) Fatal() *Finding {
	if len(r.Findings) == 0 || r.Findings[0].Severity != Fatal {
		return nil
	}
	return &r.Findings[0]
}

// Diagnose says what stands in the way.
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
		delete(d.groups, groupKey{id: PodFailed}) // that tells of the same pods
	}
	for _, fact := range in.Facts {
		d.add(&signal{id: fact.ID, message: fact.Message, object: in.Workload})
	}
	return d.conclude()
}

// inTheWay returns the pods of other versions that may hold the newest up: those that are ending, and those whose node is silent. No
// other pod takes the place of one of a StatefulSet or DaemonSet, and one of a Deployment is missing from what has to be ready.
func (d *diagnosis) inTheWay() []*corev1.Pod {
	var found []*corev1.Pod
	for _, pod := range d.Others {
		if pod.DeletionTimestamp != nil || isLeft(pod) && Silent(pod) {
			found = append(found, pod)
		}
	}
	return found
}

// cause looks a cause up; one that is not in the catalog is undetermined.
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

// group are the signals of one cause; first is the one that counts soonest.
type group struct {
	first *signal
	cause Cause
	// until is when it is fatal, late when it is worth a word before that.
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
	// catalog is made when it is needed first.
	catalog map[string]Cause
	groups  map[groupKey]*group
	// room is what madeRoom has found.
	room *time.Time
}

// began is since when the state is known, by the objects or by what was seen before.
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

// wake lets the next look be at that moment, where it is still to come and none is earlier.
func (d *diagnosis) wake(at time.Time) {
	if at.After(d.Now) && (d.report.Next.IsZero() || at.Before(d.report.Next)) {
		d.report.Next = at
	}
}

func (d *diagnosis) finding(g *group) Finding {
	s := g.first
	f := Finding{
		ID: s.id, Severity: Warning, Reason: s.reason, Message: s.message, Objects: g.objects, Container: s.container,
		Pods: g.pods, Evidence: s.evidence, ended: s.ended, starting: isStarting(s.id) && (s.late == 0 || d.Now.Before(g.late)),
	}
	d.slow(&f, s)
	slices.SortFunc(f.Objects, func(a, b Object) int { return strings.Compare(a.Kind+a.Name, b.Kind+b.Name) })
	if len(g.nodes) > 0 {
		f.Nodes, f.Message = g.nodes, silence(g.nodes)
	}
	if f.Reason == "" {
		f.Reason = f.ID
	}
	if s.pod != nil {
		f.Pod = s.pod.Name
	}
	if s.replaced > 0 {
		f.Pod, f.Pods = s.example, s.replaced
	}
	if s.status != nil {
		f.addLastRun(s.status)
	}
	switch {
	case s.onlyWarns(g.cause):
	case s.grace == 0 && s.isFinal(g.cause) && !d.Now.Before(g.until):
		f.Severity = Fatal
	default:
		f.Grace = d.graceTold(s, g.until)
		if !d.Now.Before(g.until) {
			f.Severity = Fatal
			f.tellGrace()
		}
	}
	d.namePatience(&f, s)
	f.advice = advice{
		Situation: d.Situation, remedies: g.cause.Remedy, workload: d.Workload, namespace: d.Namespace, subject: s.subject, flags: s.flags,
	}
	f.advise()
	return f
}

func byObject(events []*corev1.Event) map[types.UID][]*corev1.Event {
	all := map[types.UID][]*corev1.Event{}
	for _, event := range events {
		all[event.InvolvedObject.UID] = append(all[event.InvolvedObject.UID], event)
	}
	return all
}
