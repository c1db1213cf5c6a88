package diagnose

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// of gives a status its container's name.
func of(name string, status corev1.ContainerStatus) corev1.ContainerStatus {
	status.Name = name
	return status
}

// anew is a container that runs since then, after a run that ended.
func anew(name string, since int, last corev1.ContainerState) corev1.ContainerStatus {
	status := runs(since)
	status.Name, status.RestartCount, status.LastTerminationState = name, 1, last
	return status
}

func wellAnew(name string, since int, last corev1.ContainerState) corev1.ContainerStatus {
	status := anew(name, since, last)
	status.Ready = true
	return status
}

func restartsOn(code int32, action corev1.ContainerRestartRuleAction, operator corev1.ContainerRestartRuleOnExitCodesOperator) []corev1.ContainerRestartRule {
	return []corev1.ContainerRestartRule{{
		Action: action, ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: operator, Values: []int32{code}},
	}}
}

// Nobody starts a container again whose policy says so: its pod is never ready. An end that a rule names is intended.
func TestContainersThatEndByTheirPolicy(t *testing.T) {
	t.Parallel()
	const (
		in    = corev1.ContainerRestartRuleOnExitCodesOpIn
		notIn = corev1.ContainerRestartRuleOnExitCodesOpNotIn
		again = corev1.ContainerRestartRuleActionRestart
		all   = corev1.ContainerRestartRuleActionRestartAllContainers
	)
	never, onFailure := ptr.To(corev1.ContainerRestartPolicyNever), ptr.To(corev1.ContainerRestartPolicyOnFailure)
	just := func(code int32) corev1.ContainerStatus {
		return corev1.ContainerStatus{State: ended(code, "Error", 1, 5)}
	}
	backOff := func(code int32) corev1.ContainerStatus {
		status := waits("CrashLoopBackOff", "back-off")
		status.RestartCount, status.LastTerminationState = 4, ended(code, "Error", 1, 5)
		return status
	}
	for name, c := range map[string]struct {
		policy *corev1.ContainerRestartPolicy
		rules  []corev1.ContainerRestartRule
		status corev1.ContainerStatus
		want   string
	}{
		"Always":                             {nil, nil, just(2), "warning ContainerRestarted 1"},
		"Never, with an error":               {never, nil, just(2), "fatal ContainerEnded 1"},
		"Never, without an error":            {never, nil, just(0), "fatal ContainerEnded 1"},
		"OnFailure, with an error":           {onFailure, nil, just(2), "warning ContainerRestarted 1"},
		"OnFailure, without an error":        {onFailure, nil, just(0), "fatal ContainerEnded 1"},
		"killed for its memory":              {never, nil, corev1.ContainerStatus{State: ended(137, "OOMKilled", 1, 5)}, "fatal OOMKilled 1"},
		"a rule starts it again":             {never, restartsOn(42, again, in), just(42), ""},
		"a rule starts all again":            {never, restartsOn(42, all, in), just(42), ""},
		"no rule for this code":              {never, restartsOn(42, again, in), just(2), "fatal ContainerEnded 1"},
		"a rule for all codes but one":       {never, restartsOn(0, again, notIn), just(2), "warning ContainerRestarted 1"},
		"a loop that a rule intends":         {never, restartsOn(42, again, in), backOff(42), "warning RestartedByRule 1"},
		"a loop that no rule intends":        {never, restartsOn(0, again, notIn), backOff(2), "fatal CrashLoopBackOff 1"},
		"all containers are being restarted": {nil, nil, waits(restartingAll, ""), ""},
		"ended with all containers":          {nil, nil, anew("app", 6, ended(137, restartingAll, 1, 5)), "warning NotReady 1"},
	} {
		pod := podWith("a", c.status)
		pod.Spec.Containers[0].RestartPolicy, pod.Spec.Containers[0].RestartPolicyRules = c.policy, c.rules
		if got := summary(Diagnose(inputOf(7, pod))); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// The container that caused it is named, be it a sidecar: the one that ended first, else the one whose probe fails.
func TestWhoMadeAPodUnready(t *testing.T) {
	t.Parallel()
	always := ptr.To(corev1.ContainerRestartPolicyAlways)
	well, unready := of("app", runs(1)), of("app", runs(1))
	well.Ready = true
	once := corev1.ContainerStatus{Name: "init", RestartCount: 1, Ready: true, State: ended(0, "Completed", 51, 52), LastTerminationState: ended(0, "Completed", 0, 1)}
	for name, c := range map[string]struct {
		inits, containers []corev1.ContainerStatus
		// sandbox is since when the pod's sandbox is there.
		sandbox          int
		culprit, unready string
		crashes          int32
		hasEnded         bool
	}{
		"a sidecar has ended":           {[]corev1.ContainerStatus{{Name: "side", State: ended(0, "Completed", 1, 50)}}, []corev1.ContainerStatus{well}, 1, "side", "side", 0, true},
		"a sidecar runs again":          {[]corev1.ContainerStatus{anew("side", 51, ended(2, "Error", 1, 50))}, []corev1.ContainerStatus{well}, 1, "side", "side", 1, false},
		"a sidecar's probe fails":       {[]corev1.ContainerStatus{of("side", runs(1))}, []corev1.ContainerStatus{well}, 1, "", "side", 0, false},
		"the main container's probe":    {[]corev1.ContainerStatus{wellAnew("side", -50, ended(2, "Error", -90, -60))}, []corev1.ContainerStatus{unready}, -100, "side", "app", 1, false},
		"it drew another with it":       {[]corev1.ContainerStatus{anew("side", 51, ended(2, "Error", 1, 50))}, []corev1.ContainerStatus{anew("app", 54, ended(1, "Error", 1, 53))}, 1, "side", "side", 2, false},
		"one had crashed before":        {nil, []corev1.ContainerStatus{wellAnew("app", 5, ended(2, "Error", 1, 4)), {Name: "two", State: ended(2, "Error", 1, 50)}}, 1, "two", "two", 1, true},
		"the sandbox was made anew":     {[]corev1.ContainerStatus{once}, []corev1.ContainerStatus{{Name: "app", State: ended(137, "Error", 1, 50)}}, 51, "", "app", 0, false},
		"and it runs again":             {[]corev1.ContainerStatus{once}, []corev1.ContainerStatus{anew("app", 52, ended(0, "Completed", 1, 50))}, 51, "", "app", 0, false},
		"it crashes after that":         {[]corev1.ContainerStatus{once}, []corev1.ContainerStatus{{Name: "app", RestartCount: 1, State: ended(2, "Error", 52, 55), LastTerminationState: ended(0, "Completed", 1, 50)}}, 51, "app", "app", 1, true},
		"the sandbox was reported late": {nil, []corev1.ContainerStatus{{Name: "app", State: ended(2, "Error", 50, 51)}}, 52, "app", "app", 0, true},
	} {
		pod := podWith("a", corev1.ContainerStatus{})
		pod.Spec.InitContainers = []corev1.Container{{Name: "init"}, {Name: "side", RestartPolicy: always}}
		pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses = c.inits, c.containers
		pod.Status.Conditions = []corev1.PodCondition{
			{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: at(51)},
			{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionTrue, LastTransitionTime: at(c.sandbox)},
		}
		nameOf := func(status *corev1.ContainerStatus) string {
			if status == nil {
				return ""
			}
			return status.Name
		}
		if got := nameOf(Culprit(pod)); got != c.culprit {
			t.Errorf("%s: %q has ended, want %q", name, got, c.culprit)
		}
		if got := nameOf(Unready(pod)); got != c.unready {
			t.Errorf("%s: %q is not ready, want %q", name, got, c.unready)
		}
		if got, ended := Crashes(pod), HasEnded(pod); got != c.crashes || ended != c.hasEnded {
			t.Errorf("%s: %d crashes, ended %t, want %d, %t", name, got, ended, c.crashes, c.hasEnded)
		}
	}
}
