//go:build bench

package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	rounds   = 5
	replicas = 100
)

// way is one way to roll out an image.
type way struct {
	name  string
	limit float64 // the most that it may take, in times of kubectl's own
	roll  func(b *bed, deployment, image string)
	took  []time.Duration
}

// TestRolloutTime compares the time of a whole rollout, interleaved, so that whatever else the machine does hits all.
func TestRolloutTime(t *testing.T) {
	b := newBed(t, "time")
	ways := []*way{
		{name: "kubectl set image + rollout status", limit: 1, roll: (*bed).native},
		{name: "start", limit: 1.3, roll: func(b *bed, d, image string) { b.kubectl("rollout-plus", "start", "deployment/"+d, "--image", image) }},
		{name: "start --steps 100%", limit: 1.05, roll: func(b *bed, d, image string) {
			b.kubectl("rollout-plus", "start", "deployment/"+d, "--image", image, "--steps", "100%")
		}},
	}
	b.create("web")
	image := 1
	for round := range rounds + 1 {
		for _, w := range ways {
			image++
			began := time.Now()
			w.roll(b, "web", fmt.Sprintf("pause:%d", image))
			if took := time.Since(began); round > 0 { // the first round warms up
				w.took = append(w.took, took)
			}
			b.settle("web")
		}
	}
	native := median(ways[0].took)
	for _, w := range ways {
		ratio := float64(median(w.took)) / float64(native)
		t.Logf("%-36s median %6.2fs  ratio %.2f  (all %v)", w.name, median(w.took).Seconds(), ratio, w.took)
		if ratio > w.limit {
			t.Errorf("%s took %.2f times as long as kubectl, the limit is %.2f", w.name, ratio, w.limit)
		}
	}
}

// TestRequests counts what the plugin asks of the API server.
func TestRequests(t *testing.T) {
	b := newBed(t, "requests")
	reads := map[int]int{}
	for _, size := range []int{20, replicas} {
		name := fmt.Sprintf("web-%d", size)
		b.createSized(name, size)
		for steps, flag := range map[int]string{1: "100%", 4: "1,25%,50%,100%"} {
			counted := b.counting(func(kubeconfig string) {
				b.kubectl("rollout-plus", "start", "deployment/"+name, "--image", fmt.Sprintf("pause:%d-%d", size, steps),
					"--steps", flag, "--kubeconfig", kubeconfig)
			})
			t.Logf("R=%d, %d steps: %d writes, %d reads, %d of events", size, steps, counted.writes(), counted.reads(), counted[events])
			if limit := 4*steps + 6; counted.writes() > limit {
				t.Errorf("R=%d, %d steps: %d writes, the limit is %d", size, steps, counted.writes(), limit)
			}
			reads[size] = counted.reads()
			b.settle(name)
		}
	}
	if reads[20] != reads[replicas] {
		t.Errorf("reads depend on the number of replicas: %v", reads)
	}
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// bed is a namespace of its own to measure in.
type bed struct {
	t         *testing.T
	namespace string
}

func newBed(t *testing.T, name string) *bed {
	t.Helper()
	b := &bed{t: t, namespace: fmt.Sprintf("bench-%s-%d", name, os.Getpid())}
	b.run("kubectl", "create", "namespace", b.namespace)
	t.Cleanup(func() { b.run("kubectl", "delete", "namespace", b.namespace, "--wait=false") })
	return b
}

func (b *bed) native(deployment, image string) {
	b.kubectl("set", "image", "deployment/"+deployment, "pause="+image)
	b.kubectl("rollout", "status", "deployment/"+deployment)
}

func (b *bed) create(name string) { b.createSized(name, replicas) }

// createSized makes a Deployment with kubectl's default limits of 25%.
func (b *bed) createSized(name string, size int) {
	b.kubectl("create", "deployment", name, "--image", "pause:1", "--replicas", fmt.Sprint(size))
	b.kubectl("rollout", "status", "deployment/"+name)
	b.settle(name)
}

// settle waits until the old pods are gone, so that no way pays for what the one before left.
func (b *bed) settle(name string) {
	b.kubectl("wait", "deployment/"+name, "--for=jsonpath={.status.terminatingReplicas}=0", "--timeout=60s")
}

func (b *bed) kubectl(args ...string) { b.run("kubectl", append(args, "-n", b.namespace)...) }

func (b *bed) run(program string, args ...string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		b.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}
