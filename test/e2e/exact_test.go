//go:build e2e

package e2e

import (
	"slices"
	"testing"
	"time"
)

// ends are the moments at which a step ended: just before the write that began the next one or gave the Deployment back.
func (w *web) ends() []snapshot {
	w.Helper()
	var ends []snapshot
	w.replay(func(before, after *snapshot) {
		if from, to := before.step(), after.step(); from != 0 && to != from {
			end := before.clone()
			end.arrived = after.arrived
			ends = append(ends, end)
		}
	})
	return ends
}

// reached expects these numbers of new pods at the steps' ends: exactly those, all ready, and as many fewer old ones.
func (w *web) reached(old, image string, targets ...int) {
	w.Helper()
	ends := w.ends()
	if len(ends) != len(targets) {
		w.Fatalf("%d steps ended, not %d", len(ends), len(targets))
	}
	for i, target := range targets {
		m := &ends[i]
		rest := m.replicas() - target
		if m.step() != i+1 || m.size(image) != target || m.total(image) != target || m.ready(image) != target {
			w.Errorf("step %d ended with %d of %d new pods ready, not with %d: %s", m.step(), m.ready(image), m.total(image), target, m)
		}
		if m.size(old) != rest || m.total(old) != rest || m.ready(old) != rest || m.size("") != m.replicas() {
			w.Errorf("step %d ended with %d of %d old pods ready, not with %d: %s", i+1, m.ready(old), m.total(old), rest, m)
		}
		for _, pod := range m.pods {
			wanted := time.Duration(w.own.Spec.MinReadySeconds) * time.Second
			if pod.Spec.Containers[0].Image == image && m.arrived.Sub(readySince(pod)) < wanted {
				w.Errorf("step %d ended when pod %s had not been ready for minReadySeconds (%s)", i+1, pod.Name, wanted)
			}
		}
	}
}

func TestEveryStepHasExactNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name               string
		replicas           int32
		surge, unavailable string
		edit               edit
		flags              []string
		// keepSurge and keepUnavailable are the limits that hold, where they are not the Deployment's own.
		keepSurge, keepUnavailable string
		want                       []int
	}{
		{name: "1 replica", replicas: 1, surge: "1", unavailable: "0", want: []int{1}},
		{name: "3 replicas", replicas: 3, surge: "1", unavailable: "1", want: []int{1, 2, 3}},
		{name: "10 replicas", replicas: 10, surge: "25%", unavailable: "25%", want: []int{1, 3, 5, 10}},
		{name: "50 replicas", replicas: 50, surge: "10%", unavailable: "10%", want: []int{1, 13, 25, 50}},
		{name: "none missing", replicas: 10, surge: "2", unavailable: "0", flags: []string{"--steps", "2,50%"}, want: []int{2, 5, 10}},
		{name: "none extra", replicas: 10, surge: "0", unavailable: "3", flags: []string{"--steps", "1,4,7"}, want: []int{1, 4, 7, 10}},
		{name: "at once", replicas: 10, surge: "3", unavailable: "2", flags: []string{"--steps", "100%"}, want: []int{10}},
		{
			name: "minReadySeconds", replicas: 3, surge: "1", unavailable: "1", edit: minReadySeconds(2),
			flags: []string{"--steps", "2"}, want: []int{2, 3},
		},
		{
			name: "limits of its own", replicas: 10, surge: "50%", unavailable: "50%", want: []int{1, 3, 5, 10},
			flags: []string{"--max-surge", "1", "--max-unavailable", "0"}, keepSurge: "1", keepUnavailable: "0",
		},
		{
			name: "held", replicas: 3, surge: "34%", unavailable: "0%", flags: []string{"--hold", "1s", "--steps", "34%"}, want: []int{2, 3},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			edits := []edit{replicas(c.replicas), strategy(c.surge, c.unavailable)}
			if c.edit != nil {
				edits = append(edits, c.edit)
			}
			if c.keepSurge == "" {
				c.keepSurge, c.keepUnavailable = c.surge, c.unavailable
			}
			w := newWeb(t, edits...)
			p := w.start("web:v2", append(c.flags, "-o", "json")...).ends(0)
			w.reached("web:v1", "web:v2", c.want...)
			w.keeps(c.keepSurge, c.keepUnavailable)
			w.runs("web:v2")
			measured(t, p, int(c.replicas), c.keepSurge, c.keepUnavailable)
			var told []int
			for _, e := range p.events() {
				if e.Type == "step" {
					told = append(told, *e.Target)
				}
			}
			if !slices.Equal(told, c.want) {
				t.Errorf("steps told: %v, wanted: %v", told, c.want)
			}
		})
	}
}

// measured expects the plugin's own measurement to be there, and within the limits.
func measured(t *testing.T, p *process, replicas int, surge, unavailable string) {
	t.Helper()
	events := p.events()
	a := events[len(events)-1].Availability
	floor, ceiling := replicas-resolve(unavailable, replicas, false), replicas+resolve(surge, replicas, true)
	if a == nil || a.Floor != floor || a.Ceiling != ceiling || a.LowestReady < floor ||
		a.LowestReady > replicas || a.HighestTotal < replicas || a.DurationSeconds <= 0 {
		t.Errorf("measured %+v, with a floor of %d and a ceiling of %d", a, floor, ceiling)
	}
}
