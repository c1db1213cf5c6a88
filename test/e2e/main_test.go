//go:build e2e

// Package e2e runs the plugin as people do, as `kubectl rollout-plus` against a real control plane, and judges it by
// what watches of the tests' own saw meanwhile: every event of the Deployment, its ReplicaSets and its pods.
//
// Every test has a namespace to itself and works in parallel with the others. Nothing sleeps: tests wait for what the
// watches or the plugin's own output bring.
package e2e

import (
	"errors"
	"flag"
	"os"
	"testing"
	"time"
)

// patience is how long anything may take that a test waits for, on a machine that is busy with all the others.
const patience = 2 * time.Minute

// atOnce is how many tests run at a time. They wait for the cluster for a good part of their time, so the number of
// processors, which is the default, would waste that.
const atOnce = "10"

// gcPercent is GOGC of kubectl and of the plugin. They run for a fraction of a second, a quarter of which would go into
// collecting garbage with Go's default.
const gcPercent = "400"

func TestMain(m *testing.M) {
	// The command line, which is parsed by m.Run, still has the last word.
	if err := errors.Join(flag.Set("test.parallel", atOnce), os.Setenv("GOGC", gcPercent)); err != nil {
		panic(err)
	}
	m.Run()
}
