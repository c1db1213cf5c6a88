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
	// Fatal means that the state does not pass by itself.
	Fatal Severity = "fatal"
	// Warning means that the state may pass, or is not in the way on its own.
	Warning Severity = "warning"
)

// Object names the object that a finding is about.
type Object struct{ Kind, Name string }

// Grace is the time that a state is given before it counts as fatal.
type Grace struct {
	Length time.Duration
	Until  time.Time
	// Left is the remaining part of the grace.
	Left time.Duration
	// Why explains the length.
	Why string
}

// Finding is a cause that is in the way of a workload, for all pods concerned.
type Finding struct {
	// ID is the name of the cause, for scripts. It is one of Causes.
	ID       string
	Severity Severity
	// Reason is Kubernetes' own word, such as ImagePullBackOff.
	Reason string
	// Message describes what has happened, in Kubernetes' own words if there are any.
	Message string
	// Objects are the pods concerned, or other objects that the finding is about.
	Objects []Object
	// Pod and Container name the first pod concerned and its container. They are empty if the cause does not lie in a single
	// pod.
	Pod, Container string
	// ExitCode is the exit code of the container's last run, or nil if it has not ended.
	ExitCode *int32
	// Nodes are the silent nodes that the finding is about.
	Nodes []string
	// Pods is the number of pods in this state.
	Pods int
	// Evidence lists what else Kubernetes reports about it.
	Evidence []string
	// Remedy lists what to run next.
	Remedy []string
	// Grace is nil for a cause that is fatal at once or only warns.
	Grace *Grace
	// Logs are the last lines of the container's last run. A caller that can read logs adds them.
	Logs []string
	// HasLogs says that the container has run. Restarted says that its last run was the one before the present one.
	HasLogs, Restarted bool

	starting, slow bool
	advice         advice
	// ended describes how the container last ended.
	ended string
}

// Starting reports whether the finding is a warning about a state that every pod passes through while starting.
func (f *Finding) Starting() bool { return f.starting && f.Severity == Warning }

// Slow reports whether a starting pod takes longer than pods usually do.
func (f *Finding) Slow() bool { return f.slow }

// isStarting reports whether every pod is in this state for a while.
func isStarting(id string) bool {
	return id == ReadinessProbeFailed || id == ReadinessGateNotMet || id == NotReady || id == NotScheduled || id == InitContainerRunning
}

// String returns the finding in one line, without evidence and log lines.
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

// Known returns a fatal finding that the caller has made, with the catalog's remedies.
func Known(id string, workload Object, namespace, message string) *Finding {
	d := &diagnosis{Input: &Input{Workload: workload, Namespace: namespace}}
	f := d.finding(&group{first: &signal{id: id, message: message, now: true}, cause: d.cause(id)})
	f.Severity, f.Grace = Fatal, nil
	return &f
}

// BlamePod makes the finding about one pod.
func (f *Finding) BlamePod(pod *corev1.Pod) {
	f.Pod, f.Pods, f.Objects = pod.Name, 1, []Object{{"Pod", pod.Name}}
	f.advise()
}

// BlameContainer makes the finding about one container, and adds how its last run ended.
func (f *Finding) BlameContainer(status *corev1.ContainerStatus) {
	f.Container = status.Name
	f.addLastRun(status)
	f.advise()
}

// Refined returns the finding as a report with more evidence has it, which may name another cause. A finding that was not made
// by a report gets only the evidence.
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

// tellEnd describes how a container ended after its pod had been ready. Events may show that somebody ended it.
func (f *Finding) tellEnd(ended string) {
	if f.ID == RestartedAfterReady && ended != "" {
		f.Message = "the pod had been ready, and " + ended
		f.Evidence = slices.DeleteFunc(f.Evidence, func(text string) bool { return strings.Contains(text, ended) })
	}
}

// clock formats a time as findings show it.
func clock(moment time.Time) string { return moment.UTC().Format(time.TimeOnly + "Z") }

// tellGrace adds how much time a pod was given to become ready, and how to give it more.
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
