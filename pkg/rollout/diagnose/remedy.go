package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
)

const (
	describe = "kubectl describe pod {pod} -n {namespace}"
	lastLogs = "kubectl logs {pod} -c {container} -n {namespace} --previous"
	logs     = "kubectl logs {pod} -c {container} -n {namespace}"
	setImage = "kubectl rollout-plus start {workload} -n {namespace} --image {container}=IMAGE"
	// setImageOf is for what start does not roll out.
	setImageOf = "kubectl set image {workload} {container}=IMAGE -n {namespace}"
	resume     = "kubectl rollout-plus resume {workload} -n {namespace}"
	undo       = "kubectl rollout-plus undo {workload} -n {namespace}"
	edit       = "kubectl edit {workload} -n {namespace}"
	describeIt = "kubectl describe {workload} -n {namespace}"
	revisions  = "kubectl rollout-plus history {workload} -n {namespace}"
)

// Situation is how a Deployment stands: which command works next depends on it.
type Situation struct {
	// Refused tells that start would refuse it, Open that it does for a stepwise rollout.
	Refused, Open bool
	// First tells that there is no earlier revision to go back to.
	First bool
}

// advice is what a finding's remedies are made of.
type advice struct {
	Situation
	remedies           []string
	workload           Object
	namespace, subject string
	// flags are those of start that would avoid the failure.
	flags string
	// leaves tells that the old version returns, and the pods go. The revision that failed is 0 where it is not known.
	leaves bool
	failed int64
}

// Suit lets what to run next suit a situation.
func (f *Finding) Suit(situation Situation) {
	f.advice.Situation = situation
	f.advise()
}

// Leave lets what to run next suit a rollout that goes back for what was found, from the revision with this number. start
// begins after a stepwise one.
func (f *Finding) Leave(revision int64) {
	a := &f.advice
	a.leaves, a.failed = true, revision
	if a.Open {
		a.Open, a.Refused = false, false
	}
	f.advise()
}

// Blame takes another finding for the cause: whom it is about, how that is seen, and what to run next before what is to be run
// anyway.
func (f *Finding) Blame(cause *Finding) {
	f.Objects, f.Pod, f.Container, f.Pods = cause.Objects, cause.Pod, cause.Container, cause.Pods
	f.ExitCode, f.HasLogs, f.Restarted, f.Evidence = cause.ExitCode, cause.HasLogs, cause.Restarted, cause.Evidence
	f.advice.subject = cause.advice.subject
	f.advice.remedies = slices.Concat(cause.advice.remedies, f.advice.remedies)
	f.advise()
}

// advise says what to run next, with the names that are known.
func (f *Finding) advise() {
	a := &f.advice
	names := []string{"{namespace}", a.namespace, "{subject}", a.subject, "{workload}", strings.ToLower(a.workload.Kind) + "/" + a.workload.Name}
	if f.Pod != "" {
		names = append(names, "{pod}", f.Pod)
	}
	if f.Container != "" {
		names = append(names, "{container}", f.Container)
	}
	fill := strings.NewReplacer(names...)
	f.Remedy = nil
	for _, remedy := range a.remedies {
		for _, fits := range a.fitting(remedy) {
			if text := fill.Replace(fits); !slices.Contains(f.Remedy, text) {
				f.Remedy = append(f.Remedy, text)
			}
		}
	}
}

// fitting is a remedy, or what stands in for it where it does not work or names what is not known.
func (a *advice) fitting(remedy string) []string {
	if a.subject == "" && strings.Contains(remedy, "{subject}") {
		remedy = describe
	}
	switch {
	case a.leaves && (remedy == undo || strings.Contains(remedy, "{pod}")):
		return []string{a.again()}
	case remedy == setImage && a.Open:
		return []string{setImageOf, resume}
	case remedy == setImage && (a.Refused || a.workload.Kind != "Deployment"):
		return []string{setImageOf}
	case remedy == undo && a.First:
		return []string{describeIt}
	}
	return []string{remedy}
}

// again returns the command that brings the failed revision back, to look at its pods. It stands in for what works on pods
// that the way back takes away.
func (a *advice) again() string {
	switch {
	case a.failed == 0:
		return revisions
	case a.Refused || a.workload.Kind != "Deployment":
		return fmt.Sprintf("%s --to-revision %d", undo, a.failed)
	}
	flags := "--on-failure hold"
	if a.flags != "" {
		flags = a.flags
	}
	return fmt.Sprintf("kubectl rollout-plus start {workload} -n {namespace} --to-revision %d %s", a.failed, flags)
}

// Connected returns the finding with the flags of a connection in all commands that it names.
func (f *Finding) Connected(connection command.Connection) *Finding {
	if f == nil {
		return nil
	}
	connected := *f
	connected.Remedy = connection.Lines(f.Remedy)
	connected.Message = connection.Text(f.Message)
	connected.Evidence = slices.Clone(f.Evidence)
	for i, evidence := range connected.Evidence {
		connected.Evidence[i] = connection.Text(evidence)
	}
	return &connected
}
