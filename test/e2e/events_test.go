//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// documented expects of every event what the documentation promises of all of them, and the result at the end.
func (w *web) documented(p *process, outcome string, code int) []jsonEvent {
	w.Helper()
	events := p.ends(code).events()
	if len(events) == 0 {
		w.Fatalf("no events\n%s", p.output())
	}
	var before time.Time
	for i, e := range events {
		o := e.Object
		if e.SchemaVersion != 1 || e.Time.Before(before) || o.APIVersion != "apps/v1" || o.Kind != "Deployment" || o.Namespace != w.name || o.Name == "" {
			w.Errorf("event %d: %+v", i, e)
		}
		if before = e.Time; (e.Type == "result") != (i == len(events)-1) {
			w.Errorf("event %d of %d is of type %s", i+1, len(events), e.Type)
		}
	}
	last := events[len(events)-1]
	if last.Outcome != outcome || last.ExitCode == nil || *last.ExitCode != code || last.Message == "" {
		w.Errorf("result %+v, wanted %s with %d", last, outcome, code)
	}
	return events
}

func TestJSONEvents(t *testing.T) {
	w := newWeb(t)
	types := func(events []jsonEvent) string {
		var kinds []string
		for _, e := range events {
			if len(kinds) == 0 || kinds[len(kinds)-1] != e.Type {
				kinds = append(kinds, e.Type)
			}
		}
		return strings.Join(kinds, " ")
	}
	events := w.documented(w.start("web:v2", "-o", "json", "--steps", "2", "--hold", "200ms"), "done", 0)
	if got := types(events); !strings.HasPrefix(got, "checks plan step progress hold ") || !strings.HasSuffix(got, " result") {
		t.Errorf("types %s", got)
	}
	if plan := events[1].Plan; len(plan) != 2 || plan[0].New != 2 || plan[0].Old != 1 || plan[0].MaxTotal != 4 || plan[0].MinAvailable != 2 {
		t.Errorf("plan %+v", plan)
	}
	for _, e := range events {
		if e.Type == "progress" && (e.New == nil || e.NewReady == nil || e.Old == nil || e.OldReady == nil || e.Target == nil ||
			e.Total == nil || e.Ready == nil || *e.Total != *e.New+*e.Old) {
			t.Errorf("progress %+v", e)
		}
	}
	a := events[len(events)-1].Availability
	if a == nil || a.LowestReady < 2 || a.Floor != 2 || a.Ceiling != 4 || len(a.Steps) != 2 || a.Steps[1].Target != 3 {
		t.Errorf("availability %+v", a)
	}
	w.runs("web:v2")

	events = w.documented(w.start("web:crash", "-o", "json"), "rolled-back", 5)
	if got := types(events); !strings.Contains(got, "finding rollback") {
		t.Errorf("types %s", got)
	}
	f := events[len(events)-1].Finding
	if f == nil || f.Reason != "CrashLoopBackOff" || f.Container != "app" || f.Pod == "" || f.ExitCode == nil || *f.ExitCode != 3 ||
		len(f.Logs) != 3 && !slices.Contains(f.Evidence, unreadLogs) {
		t.Errorf("finding %+v", f)
	}

	w.documented(w.start("web:v2", "-o", "json"), "unchanged", 0)
	w.documented(w.start("web:v3", "-o", "json", "--dry-run=server"), "planned", 0)
	w.documented(w.start("web:never-ready", "-o", "json", "--timeout", "5s"), "timed-out", 124)
	w.documented(w.start("web:v3", "-o", "json"), "error", 1)
	w.documented(w.plugin("abort", "deployment/web", "-o", "json"), "rolled-back", 0)
	w.documented(w.plugin("abort", "deployment/web", "-o", "json"), "error", 1)
	w.documented(w.start("nope=web:v3", "-o", "json"), "error", 2)
	w.documented(w.plugin("start", "deployment/nowhere", "--image", "x", "-o", "json"), "error", 1)
	w.documented(w.start("web:broken", "-o", "json", "--on-failure", "hold"), "failed", 4)
	w.documented(w.plugin("abort", "deployment/web", "-o", "json"), "rolled-back", 0)
}
