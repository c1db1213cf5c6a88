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
	// setImageOf is for workloads that start does not roll out.
	setImageOf = "kubectl set image {workload} {container}=IMAGE -n {namespace}"
	resume     = "kubectl rollout-plus resume {workload} -n {namespace}"
	followIt   = "kubectl rollout-plus status {workload} -n {namespace}"
	undo       = "kubectl rollout-plus undo {workload} -n {namespace}"
	edit       = "kubectl edit {workload} -n {namespace}"
	describeIt = "kubectl describe {workload} -n {namespace}"
	revisions  = "kubectl rollout-plus history {workload} -n {namespace}"
)

// Situation is the state of a Deployment. It decides which commands work next.
type Situation struct {
	// Refused says that start would refuse the Deployment. Open says that it would do so because of a stepwise rollout.
	Refused, Open bool
	// Driven says that somebody drives that rollout. It is followed then, not resumed.
	Driven bool
	// First says that there is no earlier revision to go back to.
	First bool
}

// advice holds what a finding's remedies are made of.
type advice struct {
	Situation
	remedies           []string
	workload           Object
	namespace, subject string
	// flags are flags of start that would avoid the failure.
	flags string
	// leaves says that the old version returns, and the failed pods go. failed is the revision that failed, or 0 if it is not
	// known.
	leaves bool
	failed int64
}

// Suit adapts the remedies to a situation.
func (f *Finding) Suit(situation Situation) {
	f.advice.Situation = situation
	f.advise()
}

// Leave adapts the remedies to a rollout that goes back because of this finding, from the given revision. After a stepwise
// rollout has gone back, start works again.
func (f *Finding) Leave(revision int64) {
	a := &f.advice
	a.leaves, a.failed = true, revision
	if a.Open {
		a.Open, a.Refused = false, false
	}
	f.advise()
}

// Blame makes another finding the cause of this one. It takes over the objects and evidence, and puts the other's remedies
// before its own.
func (f *Finding) Blame(cause *Finding) {
	f.Objects, f.Pod, f.Container, f.Pods = cause.Objects, cause.Pod, cause.Container, cause.Pods
	f.ExitCode, f.HasLogs, f.Restarted, f.Evidence = cause.ExitCode, cause.HasLogs, cause.Restarted, cause.Evidence
	f.advice.subject = cause.advice.subject
	f.advice.remedies = slices.Concat(cause.advice.remedies, f.advice.remedies)
	f.advise()
}

// advise fills in the remedies with the known names.
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

// fitting returns a remedy, or its replacements if it would not work or needs an unknown name.
func (a *advice) fitting(remedy string) []string {
	if a.subject == "" && strings.Contains(remedy, "{subject}") {
		remedy = describe
	}
	switch {
	case a.leaves && (remedy == undo || strings.Contains(remedy, "{pod}")):
		return []string{a.again()}
	case remedy == resume && a.Driven:
		return []string{followIt}
	case remedy == setImage:
		return a.anotherImage()
	case remedy == undo && a.First:
		return []string{describeIt}
	}
	return []string{remedy}
}

// anotherImage returns the commands that roll out another image. An open rollout takes it over. A rollout of kubectl's that
// start refuses, or whose set is still replacing pods, needs kubectl's own command.
func (a *advice) anotherImage() []string {
	switch {
	case a.Driven:
		return []string{setImageOf, followIt}
	case a.Open:
		return []string{setImageOf, resume}
	case a.Refused || a.workload.Kind != "Deployment" && !a.leaves:
		return []string{setImageOf}
	}
	return []string{setImage}
}

// again returns the command that brings the failed revision back, to look at its pods. It replaces commands for pods that the
// rollback removes.
func (a *advice) again() string {
	switch {
	case a.failed == 0:
		return revisions
	case a.Refused:
		return fmt.Sprintf("%s --to-revision %d", undo, a.failed)
	}
	flags := "--on-failure hold"
	if a.flags != "" {
		flags = a.flags
	}
	return fmt.Sprintf("kubectl rollout-plus start {workload} -n {namespace} --to-revision %d %s", a.failed, flags)
}

// Connected returns the finding with the flags of a connection in all its commands.
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
