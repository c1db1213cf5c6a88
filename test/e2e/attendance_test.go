//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
)

// attended is what status and explain tell as JSON of who looks after a rollout.
func (s *space) attended(command, object string, code int) (state, since, reason string) {
	s.Helper()
	args := []string{command, object, "-o", "json"}
	if command == "status" {
		args = append(args, "--watch=false")
	}
	var told struct {
		Rollout *struct{ State, Since, Reason string }
	}
	p := s.plugin(args...).ends(code)
	must(s.TB, json.Unmarshal([]byte(p.out.String()), &told))
	if told.Rollout == nil {
		s.Fatalf("no rollout: %s", p.output())
	}
	return told.Rollout.State, told.Rollout.Since, told.Rollout.Reason
}

// openRollout is a rollout of any kind that stands at a step of one pod, which is watched.
type openRollout struct {
	*space
	object string
	// begin begins it.
	begin func(flags ...string) *process
}

func eachOpen(t *testing.T, test func(t *testing.T, w *openRollout)) {
	t.Parallel()
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			if kind == "Deployment" {
				w := newWeb(t, replicas(4))
				test(t, &openRollout{w.space, "deployment/web", func(flags ...string) *process {
					return w.start("web:v2", append([]string{"--steps", "1"}, flags...)...)
				}})
				return
			}
			w := newStepped(t, kind)
			test(t, &openRollout{w.space, w.object, func(flags ...string) *process {
				return w.set("red", append([]string{"--steps", "1"}, flags...)...)
			}})
		})
	}
}

// Whoever follows a rollout sees what others make of it: another client aborts it, its driver is interrupted or killed.
func TestFollowingARolloutOfOthers(t *testing.T) {
	eachOpen(t, func(t *testing.T, w *openRollout) {
		p := w.begin("--hold", "1h")
		p.tells("ready, watched for 1h0m0s")
		lines, document := w.plugin("status", w.object), w.plugin("status", w.object, "-o", "json")
		lines.tells("; watched until 20")
		if state, since, _ := w.attended("status", w.object, 0); state != "driven" || since != "" {
			t.Errorf("driven: %s since %s", state, since)
		}
		told := w.plugin("explain", w.object).ends(0, ": driven, ", "which is watched until 20", "next: kubectl rollout-plus status "+w.object)
		if strings.Contains(told.output(), "resume") {
			t.Errorf("advises to resume a rollout that is driven: %s", told.output())
		}
		w.plugin("abort", w.object).ends(0, "rolled back")
		p.ends(5, "rolling back to what was revision 1", "going back: old version ")
		if _, later, _ := strings.Cut(p.output(), "rolling back"); strings.Contains(p.output(), "overshot") || strings.Contains(later, "new ") || strings.Contains(later, "rolling back") {
			t.Errorf("the driver takes the old version for a new one: %s", p.output())
		}
		lines.ends(5, "the rollout was rolled back")
		if strings.Contains(lines.output(), "successfully") || strings.Contains(lines.output(), "complete:") {
			t.Errorf("told as a success: %s", lines.output())
		}
		if d := document.ends(5).documents()["web"]; d.Phase != "rolled-back" {
			t.Errorf("got %+v", d)
		}

		p = w.begin("--hold", "1h")
		p.tells("ready, watched for 1h0m0s")
		lines = w.plugin("status", w.object)
		lines.tells("step 1 of 2")
		p.signal(syscall.SIGINT)
		p.ends(130)
		lines.ends(4, "the rollout is open, where it was left standing since 20", "(detached", "stands still at step 1 of 2", "resume "+w.object)
		for command, code := range map[string]int{"status": 0, "explain": 4} {
			if state, since, reason := w.attended(command, w.object, code); state != "left" || since == "" || reason != "detached" {
				t.Errorf("%s: %s since %s for %s", command, state, since, reason)
			}
		}
		w.plugin("pause", w.object).ends(0)
		if state, since, _ := w.attended("explain", w.object, 4); state != "held" || since == "" {
			t.Errorf("held: %s since %s", state, since)
		}
		p = w.plugin("resume", w.object)
		p.tells("ready, watched for 1h0m0s")
		if state, _, _ := w.attended("status", w.object, 0); state != "driven" {
			t.Errorf("resumed: %s", state)
		}
		p.signal(syscall.SIGKILL)
		p.code()
		w.plugin("abort", w.object).ends(0)
	})
}

// A driver that is killed can say nothing. That it does not go on is seen soon, by those who look and by those who wait.
func TestARolloutWhoseDriverWasKilled(t *testing.T) {
	eachOpen(t, func(t *testing.T, w *openRollout) {
		p := w.begin("--hold", "4s")
		p.tells("ready, watched for 4s")
		p.signal(syscall.SIGKILL)
		p.code()
		w.plugin("status", w.object).ends(4, "the rollout is open, and nobody has driven it on since 20", "stands still at step 1 of 2", "resume "+w.object, "abort "+w.object)
		for command, code := range map[string]int{"status": 0, "explain": 4} {
			if state, since, _ := w.attended(command, w.object, code); state != "orphaned" || since == "" {
				t.Errorf("%s: %s since %s", command, state, since)
			}
		}
		w.plugin("resume", w.object).ends(0, "rolled out")
		w.plugin("status", w.object).ends(0)
	})
}

// Where pods take long, nothing is due that a killed driver would fail to do. Its signs of life end.
func TestADriverThatWasKilledWhilePodsStart(t *testing.T) {
	w := newWeb(t, replicas(4), delay("10m"), progressDeadline(900))
	p := w.start("web:slow", "--steps", "1")
	p.tells("new 0/1 ready")
	status := w.plugin("status", "deployment/web")
	p.signal(syscall.SIGKILL)
	p.code()
	status.ends(4, "the rollout is open, and nobody has driven it on since 20", "stands still at step 1 of 2")
	w.plugin("explain", "deployment/web").ends(4, "nobody has driven it on since 20")
	w.plugin("abort", "deployment/web").ends(0)
}

// A rollout that fails is followed until the old version is back: it does not stand still.
func TestFollowingARolloutThatGoesBack(t *testing.T) {
	for name, flags := range map[string][]string{"own limits": nil, "other limits": {"--max-surge", "2"}} {
		t.Run(name, func(t *testing.T) {
			// It fails once status has seen it.
			w := newWeb(t, replicas(4), delay("8s"))
			p := w.start("web:ready-then-crash", append(flags, "--hold", "1m")...)
			p.tells("step 1/")
			status := w.plugin("status", "deployment/web")
			p.ends(5)
			status.ends(5, "failed: pod web-", "the rollout failed and was rolled back: pod web-", "CrashLoopBackOff")
			if told := status.output(); strings.Contains(told, "stands still") || strings.Contains(told, "successfully") {
				t.Errorf("it does neither: %s", told)
			}
		})
	}
}
