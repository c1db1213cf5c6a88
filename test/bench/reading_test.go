//go:build bench

package bench

import (
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	readingRounds = 21
	// readingLimit is how much more than kubectl the plugin may take to tell of a Deployment that is complete.
	readingLimit = 1.05
)

// reader is one way to ask, with what its rounds took.
type reader struct {
	name string
	args []string // the program and its arguments
	// limited is for the program itself. Through `kubectl rollout-plus` kubectl starts first, which no plugin can help.
	limited  bool
	took     []time.Duration
	memory   []int64 // the peak of each round, in the unit that the system counts in
	requests int
}

// TestReading compares status and history of a finished Deployment with kubectl's own, program by program.
func TestReading(t *testing.T) {
	t.Setenv("KUBECACHEDIR", t.TempDir())
	b := newBed(t, "reading")
	b.createSized("web", 10)
	for _, command := range []string{"status", "history"} {
		t.Run(command, func(t *testing.T) {
			b := &bed{t: t, namespace: b.namespace}
			object := []string{command, "deployment/web", "-n", b.namespace}
			readers := []*reader{
				{name: "kubectl rollout " + command, args: append([]string{"kubectl", "rollout"}, object...)},
				{name: "kubectl-rollout_plus " + command, args: append([]string{"kubectl-rollout_plus"}, object...), limited: true},
				{name: "kubectl rollout-plus " + command, args: append([]string{"kubectl", "rollout-plus"}, object...)},
			}
			for _, r := range readers {
				ask := func(kubeconfig string) {
					b.run(r.args[0], append(slices.Clone(r.args[1:]), "--kubeconfig", kubeconfig)...)
				}
				counted := b.counting(ask, ask)
				r.requests = counted.reads() + counted.writes()
			}
			for round := range readingRounds + 1 {
				for _, r := range readers {
					r.ask(t, round > 0) // the first round warms up
				}
			}
			compareReaders(t, readers[0], readers[1:])
		})
	}
}

// ask runs the program once, and remembers what it took.
func (r *reader) ask(t *testing.T, counts bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), r.args[0], r.args[1:]...)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(r.args, " "), err, out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Skip("this system does not tell what a process has used")
	}
	if counts {
		r.took = append(r.took, took)
		r.memory = append(r.memory, usage.Maxrss)
	}
}

func compareReaders(t *testing.T, native *reader, others []*reader) {
	t.Helper()
	t.Logf("%-30s median %6.1fms  memory %d  requests %d", native.name, milliseconds(native.took), middle(native.memory), native.requests)
	for _, r := range others {
		ratios := map[string]float64{
			"time":     milliseconds(r.took) / milliseconds(native.took),
			"memory":   float64(middle(r.memory)) / float64(middle(native.memory)),
			"requests": float64(r.requests) / float64(native.requests),
		}
		t.Logf("%-30s median %6.1fms  memory %d  requests %d: time %.2f, memory %.2f, requests %.2f of kubectl's", r.name,
			milliseconds(r.took), middle(r.memory), r.requests, ratios["time"], ratios["memory"], ratios["requests"])
		for what, ratio := range ratios {
			if r.limited && ratio > readingLimit {
				t.Errorf("%s: %.2f times kubectl's %s, the limit is %.2f", r.name, ratio, what, readingLimit)
			}
		}
	}
}

func milliseconds(all []time.Duration) float64 {
	return float64(median(all)) / float64(time.Millisecond)
}

func middle(all []int64) int64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
