package diagnose

import (
	"slices"
	"strings"
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
	// holdIt stands in for what works on pods that the way back takes away.
	holdIt = "the same rollout with --on-failure hold, which keeps the pods to look at"
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
	// leaves tells that the old version returns, and the pods go.
	leaves bool
}

// Suit lets what to run next suit a situation.
func (f *Finding) Suit(situation Situation) {
	f.advice.Situation = situation
	f.advise()
}

// Leave lets what to run next suit a rollout that goes back for what was found. start begins after a stepwise one.
func (f *Finding) Leave() {
	a := &f.advice
	a.leaves = true
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
		return []string{holdIt}
	case remedy == setImage && a.Open:
		return []string{setImageOf, resume}
	case remedy == setImage && (a.Refused || a.workload.Kind != "Deployment"):
		return []string{setImageOf}
	case remedy == undo && a.First:
		return []string{describeIt}
	}
	return []string{remedy}
}
