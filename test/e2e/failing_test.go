//go:build e2e

package e2e

import (
	"regexp"
	"strings"
	"testing"
)

// podOfWeb is how a pod of the Deployment is named.
var podOfWeb = regexp.MustCompile(`pod web-[a-z0-9]+-[a-z0-9]+, container app: `)

func TestAFailedRolloutIsRolledBackAndSaysWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tag   string
		edits []edit
		flags []string
		tells []string
	}{
		{tag: "broken", tells: []string{"ImageNotFound (ImagePullBackOff)", `web:broken: not found`}},
		{tag: "broken", edits: []edit{replicas(10), strategy("25%", "25%")}, tells: []string{"ImagePullBackOff"}},
		{tag: "broken", edits: []edit{replicas(1), strategy("1", "0")}, tells: []string{"ImagePullBackOff"}},
		{tag: "crash", tells: []string{"CrashLoopBackOff", "exit code 3", lastLines, "next: kubectl rollout-plus start deployment/web -n ", "--to-revision 2 --on-failure hold"}},
		{tag: "config-error", tells: []string{"CreateContainerConfigError", `configmap "missing" not found`}},
		{
			tag: "never-ready", edits: []edit{progressDeadline(3)},
			tells: []string{"ProgressDeadlineExceeded", "for 3 s (progressDeadlineSeconds)", "the container runs and is not ready"},
		},
		{
			tag: "ready-then-crash", edits: []edit{delay("500ms")}, flags: []string{"--hold", "1m"},
			tells: []string{"step 1/3: ready, watched for 1m0s", "CrashLoopBackOff", "exit code 1"},
		},
		{
			tag: "flap", edits: []edit{delay("500ms")}, flags: []string{"--hold", "1m"},
			tells: []string{"step 1/3: ready, watched for 1m0s", "ReadinessLost"},
		},
	} {
		t.Run(c.tag, func(t *testing.T) {
			w := newWeb(t, c.edits...)
			limits := w.own.Spec.Strategy.RollingUpdate
			p := w.start("web:"+c.tag, c.flags...).ends(5, append(c.tells, "rolling back", "was rolled back")...)
			if !podOfWeb.MatchString(p.errOut.String()) {
				t.Errorf("no pod and container named\n%s", p.output())
			}
			w.runs("web:v1")
			w.keeps(limits.MaxSurge.String(), limits.MaxUnavailable.String())
			if told := p.out.String(); !strings.Contains(told, "deployment.apps/web rolled back (revision 3)\nlowest ready ") {
				t.Errorf("the result does not tell of the rollback\n%s", told)
			}
		})
	}
}

// What may yet find room is waited for, and what has found none by then ends the rollout.
func TestARolloutThatFindsNoRoomIsRolledBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start func(w *web) *process
		tells []string
	}{
		"QuotaExceeded": {func(w *web) *process {
			w.kubectl("create", "quota", "pods", "--hard=pods=3")
			w.kubectl("wait", "resourcequota/pods", "--for=jsonpath={.status.used.pods}=3", "--timeout=2m")
			w.start("web:v2").ends(1, "check FAIL QuotaRoom", "with max-unavailable 0 no pod could be replaced")
			return w.start("web:v2", "--skip-checks")
		}, []string{"failed: replicaset web-", "exceeded quota: pods", "next: kubectl describe resourcequota -n "}},
		"InsufficientResources": {func(w *web) *process {
			return w.plugin("start", "--force-conflicts", "-f", w.manifest("web:v2\n        resources: {requests: {cpu: 100000}}", "", ""))
		}, []string{"failed: pod web-", "0/10 nodes are available", "next: kubectl describe nodes"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWeb(t, strategy("1", "0"))
			c.start(w).ends(5, append(c.tells, "warning: ", "fatal at ", ": "+name, "was rolled back")...)
			w.runs("web:v1")
			w.keeps("1", "0")
		})
	}
}

func TestOnFailureHoldLeavesTheRolloutStanding(t *testing.T) {
	w := newWeb(t, replicas(4))
	w.start("web:broken", "--on-failure", "hold", "--steps", "2").ends(4, "ImagePullBackOff", "stands still at step 1 of 2",
		"next: kubectl set image deployment/web app=IMAGE -n "+w.name, "next: kubectl rollout-plus resume deployment/web -n "+w.name, "kubectl rollout-plus abort deployment/web -n "+w.name)
	standing := w.now()
	if standing.step() != 1 || standing.ready("web:v1") != 3 || standing.size("") != 5 {
		t.Errorf("not left where it failed: %s", &standing)
	}
	// What failed still fails, and then what replaces it comes good.
	w.plugin("resume", "deployment/web").ends(4, "ImagePullBackOff")
	w.kubectl("set", "image", "deployment/web", "app=web:v2")
	w.plugin("resume", "deployment/web").ends(0, "deployment.apps/web rolled out (revision 3)")
	w.runs("web:v2")
	w.start("web:crash", "--on-failure", "hold").ends(4, "CrashLoopBackOff")
	w.plugin("abort", "deployment/web").ends(0, "deployment.apps/web rolled back")
	w.runs("web:v2")
	w.keeps("1", "1")
}

// The Deployment's own limits would let half of the pods go; the rollout was to let none go, on its way back, too.
func TestARollbackKeepsStricterLimits(t *testing.T) {
	w := newWeb(t, replicas(6), strategy("50%", "50%"), delay("300ms"))
	p := w.start("web:ready-then-crash", "--max-surge", "1", "--max-unavailable", "0", "--steps", "1,4", "--hold", "200ms").ends(5, "CrashLoopBackOff")
	w.runs("web:v1")
	now := w.now()
	if now.ready("web:v1") != 6 {
		t.Errorf("not all old pods are back: %s\n%s", &now, p.output())
	}
	// The pods that crash are not the rollout's fault: only what it takes away counts.
	w.replay(func(_, m *snapshot) {
		if m.deployment == nil || versionOf(m.deployment) < w.since {
			return
		}
		if size := m.size(""); size > 7 {
			t.Errorf("%d pods wanted by the controller, at most 7 allowed: %s", size, m)
		}
		if m.image() == "web:v1" && m.step() == 0 && m.deployment.Spec.MinReadySeconds == 0 && m.total("web:v1") < 2 {
			t.Errorf("old pods went: %s", m)
		}
	})
}

func TestARollbackOfABrokenImageKeepsStricterLimits(t *testing.T) {
	w := newWeb(t, replicas(6), strategy("50%", "50%"))
	w.start("web:broken", "--max-surge", "1", "--max-unavailable", "0").ends(5, "ImagePullBackOff")
	w.runs("web:v1")
	w.keeps("1", "0")
}
