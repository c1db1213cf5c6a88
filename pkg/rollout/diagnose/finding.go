package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Severity is how grave a finding is now.
type Severity string

// The severities; their names are part of the JSON output.
const (
	// Fatal means that it will not come good by itself.
	Fatal Severity = "fatal"
	// Warning means that it may come good, or does not stand in the way alone.
	Warning Severity = "warning"
)

// Object is what a finding is about.
type Object struct{ Kind, Name string }

// Grace is the time that a state is given before it counts as fatal.
type Grace struct {
	Length time.Duration
	Until  time.Time
	// Left is the part of it that is left.
	Left time.Duration
	// Why says how the length came about.
	Why string
}

// Finding is a cause that stands in the way of a workload, for all the pods that it concerns.
type Finding struct {
	// ID is the cause's name, for scripts: one of Causes.
	ID       string
	Severity Severity
	// Reason is Kubernetes' own word, such as ImagePullBackOff.
	Reason string
	// Message is what has happened, in Kubernetes' own words where it has any.
	Message string
	// Objects are the pods concerned, or what else it is about.
	Objects []Object
	// Pod and Container are those of the first; they are empty where the cause is not one pod's.
	Pod, Container string
	// ExitCode is that of the container's last run, nil where it has not ended.
	ExitCode *int32
	// Nodes are the silent ones that it is about.
	Nodes []string
	// Pods is how many pods are in this state.
	Pods int
	// Evidence is what else Kubernetes says of it.
	Evidence []string
	// Remedy is what to run next.
	Remedy []string
	// Grace is nil for what is fatal at once and for what only warns.
	Grace *Grace
	// Logs are the last lines of the container's last run; whoever can read them adds them.
	Logs []string
	// HasLogs tells whether the container has run, and Restarted that it was the run before the present one.
	HasLogs, Restarted bool

	starting, slow bool
	advice         advice
	// ended is how the container ended last, in words.
	ended string
}

// Starting tells whether the finding is no more than every pod goes through as it starts.
func (f *Finding) Starting() bool { return f.starting && f.Severity == Warning }

// Slow reports whether a pod that is starting takes longer than pods usually do.
func (f *Finding) Slow() bool { return f.slow }

// isStarting tells whether every pod is in this state for a while.
func isStarting(id string) bool {
	return id == ReadinessProbeFailed || id == ReadinessGateNotMet || id == NotReady || id == NotScheduled || id == InitContainerRunning
}

// String tells the finding in one line, without evidence and log lines.
func (f *Finding) String() string {
	var b strings.Builder
	switch {
	case f.Container != "":
		fmt.Fprintf(&b, "pod %s, container %s: ", f.Pod, f.Container)
	case f.Pod != "":
		fmt.Fprintf(&b, "pod %s: ", f.Pod)
	case len(f.Objects) > 0:
		fmt.Fprintf(&b, "%s %s: ", strings.ToLower(f.Objects[0].Kind), f.Objects[0].Name)
	}
	b.WriteString(f.ID)
	if f.Reason != f.ID && f.Reason != "" {
		fmt.Fprintf(&b, " (%s)", f.Reason)
	}
	if f.Message != "" {
		b.WriteString(": " + strings.Join(strings.Fields(f.Message), " "))
	}
	if f.ExitCode != nil {
		fmt.Fprintf(&b, " (exit code %d)", *f.ExitCode)
	}
	if f.Pods > 1 {
		fmt.Fprintf(&b, " (%d pods alike)", f.Pods)
	}
	return b.String()
}

// Known is a finding that whoever calls has made: fatal, and with the catalog's remedies.
func Known(id string, workload Object, namespace, message string) *Finding {
	d := &diagnosis{Input: &Input{Workload: workload, Namespace: namespace}}
	f := d.finding(&group{first: &signal{id: id, message: message, now: true}, cause: d.cause(id)})
	f.Severity, f.Grace = Fatal, nil
	return &f
}

// BlamePod names the pod that a finding is about.
func (f *Finding) BlamePod(pod *corev1.Pod) {
	f.Pod, f.Pods, f.Objects = pod.Name, 1, []Object{{"Pod", pod.Name}}
	f.advise()
}

// BlameContainer names the container that a finding is about, and adds how its last run ended.
func (f *Finding) BlameContainer(status *corev1.ContainerStatus) {
	f.Container = status.Name
	f.addLastRun(status)
	f.advise()
}

// Refined is the finding by a report that knows more: the same states may have got another cause. What was found by other
// means than a report gets the evidence alone.
func (f *Finding) Refined(report *Report) *Finding {
	for i := range report.Findings {
		other := &report.Findings[i]
		if other.Pod != f.Pod || other.Container != f.Container {
			continue
		}
		switch f.ID {
		case RestartedAfterReady, ReadinessLost, ProgressDeadlineExceeded:
			f.Evidence = append([]string{strings.TrimSuffix(other.ID+": "+other.Message, ": ")}, other.Evidence...)
			f.tellEnd(other.ended)
			return f
		}
		if other.Severity == Fatal {
			return other
		}
	}
	return f
}

// tellEnd says of a container that ended after its pod had been ready how it did: events may tell that somebody ended it.
func (f *Finding) tellEnd(ended string) {
	if f.ID == RestartedAfterReady && ended != "" {
		f.Message = "the pod had been ready, and " + ended
		f.Evidence = slices.DeleteFunc(f.Evidence, func(text string) bool { return strings.Contains(text, ended) })
	}
}

// clock is a moment as findings tell it.
func clock(moment time.Time) string { return moment.UTC().Format(time.TimeOnly + "Z") }

// tellGrace says of a pod that was given time to become ready how much that was, and how it gets more.
func (f *Finding) tellGrace() {
	if f.ID == ReadinessProbeFailed {
		f.Message = fmt.Sprintf("%s; it was given %s (%s), and a startupProbe or --patience gives it more", f.Message, f.Grace.Length, f.Grace.Why)
	}
}

// addLastRun adds how the container's last run ended.
func (f *Finding) addLastRun(status *corev1.ContainerStatus) {
	last := status.State.Terminated
	if last == nil {
		last = status.LastTerminationState.Terminated
		f.Restarted = status.RestartCount > 0 && status.State.Running == nil || status.State.Running != nil && last != nil && f.ID != ReadinessProbeFailed
	}
	// A container that could not be started has no log.
	f.HasLogs = status.State.Running != nil || last != nil && !neverRan(last)
	if last != nil && status.State.Running == nil || f.Restarted && last != nil {
		f.ExitCode = &last.ExitCode
	}
}
