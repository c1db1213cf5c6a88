package diagnose

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// signal is one state of one object.
type signal struct {
	id, reason, message string
	object              Object
	uid                 types.UID
	pod                 *corev1.Pod
	container           string
	status              *corev1.ContainerStatus
	// since is when the state began, or zero if the objects do not show it.
	since time.Time
	// grace and why replace the catalog's, even for a cause that is fatal at once according to the catalog. now makes the
	// signal fatal at once.
	grace time.Duration
	why   string
	now   bool
	// late is the time after which a starting pod counts as late. That is reported although it is not fatal yet.
	late time.Duration
	// endless makes the signal a warning whatever the cause's class, since nothing bounds the time it may take.
	endless bool
	// node is the node of a pod whose node is silent.
	node string
	// replaced is how many pods have ended alike, most of which are gone, and example is the name of one. It is 0 for all other
	// signals.
	replaced int
	example  string
	// subject is the name of what is missing, or of what is in the way.
	subject string
	// remedies replace the catalog's.
	remedies []string
	evidence []string
	// flags are flags of start that would avoid the state.
	flags string
	attempt
	// proven says that a container has ended often enough since the command began.
	proven bool
	// ended describes how the container last ended. It is empty if it has not.
	ended string
}

// onlyWarns reports whether a signal is never fatal by itself.
func (s *signal) onlyWarns(cause Cause) bool { return s.endless || cause.Class == Warns }

// isFinal reports whether a signal gets no grace.
func (s *signal) isFinal(cause Cause) bool { return s.grace == 0 && (s.now || cause.Class == EndsNow) }

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
	if s.remedies != nil {
		f.advice.remedies = s.remedies
	}
	f.advise()
	return f
}
