package rollout

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// Drained is the result of AddDrain.
type Drained struct {
	// Containers are the names of the containers that got a preStop hook.
	Containers []string
	// Grace is the template's new terminationGracePeriodSeconds, Before the old one.
	Grace, Before int64
}

// AddDrain gives each container of a pod template without a preStop hook one that sleeps, in whole seconds. A Service stops
// sending requests a moment after its pod is told to end. The sleep lets an application serve until then, whatever it does on
// SIGTERM. The hook's time is part of terminationGracePeriodSeconds. That grows by as much, so the application keeps the time
// that it had. Sidecars among the init containers end after the containers, and need no hook.
func AddDrain(template map[string]any, drain time.Duration) Drained {
	raw, seconds := podtemplate.Template(template), int64(drain/time.Second)
	var drained Drained
	for _, container := range raw.Containers("containers") {
		lifecycle, _ := container["lifecycle"].(map[string]any)
		if lifecycle["preStop"] != nil {
			continue
		}
		if lifecycle == nil {
			lifecycle = map[string]any{}
			container["lifecycle"] = lifecycle
		}
		lifecycle["preStop"] = map[string]any{"sleep": map[string]any{"seconds": seconds}}
		drained.Containers = append(drained.Containers, fmt.Sprint(container["name"]))
	}
	spec, _ := raw["spec"].(map[string]any)
	drained.Before = graceOf(spec)
	drained.Grace = drained.Before
	if len(drained.Containers) > 0 {
		drained.Grace += seconds
		spec["terminationGracePeriodSeconds"] = drained.Grace
	}
	return drained
}

// graceOf returns the terminationGracePeriodSeconds of a pod spec, in any form that decoding JSON gives a number.
func graceOf(spec map[string]any) int64 {
	switch seconds := spec["terminationGracePeriodSeconds"].(type) {
	case int64:
		return seconds
	case float64:
		return int64(seconds)
	case json.Number:
		if n, err := seconds.Int64(); err == nil {
			return n
		}
	}
	return corev1.DefaultTerminationGracePeriodSeconds
}

// String describes what was added.
func (d Drained) String() string {
	if len(d.Containers) == 0 {
		return "every container has a preStop hook already, so that none is added"
	}
	noun := "container"
	if len(d.Containers) > 1 {
		noun = "containers"
	}
	return fmt.Sprintf("preStop sleep of %d s added to %s %s, terminationGracePeriodSeconds %d -> %d",
		d.Grace-d.Before, noun, strings.Join(d.Containers, ", "), d.Before, d.Grace)
}
