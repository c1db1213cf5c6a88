package plan

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// Steps are the numbers of new pods after each step, as counts or percentages of the live spec.replicas, in rising
// order. The last is always 100%.
type Steps []intstr.IntOrString

// DefaultSteps returns the default steps: a single pod first, then a quarter, half and all of them.
func DefaultSteps() Steps {
	return Steps{intstr.FromInt32(1), intstr.FromString("25%"), intstr.FromString("50%"), everything()}
}

func everything() intstr.IntOrString { return intstr.FromString("100%") }

// String joins the steps with commas, the form in which they are given on a command line.
func (s Steps) String() string {
	parts := make([]string, len(s))
	for i, step := range s {
		parts[i] = step.String()
	}
	return strings.Join(parts, ",")
}

// Complete appends 100% to steps that end before it. A last step that is a count also gets 100% after it: with other
// replicas than today, the count need not be all of them.
func (s Steps) Complete() Steps {
	if len(s) > 0 && s[len(s)-1] == everything() {
		return s
	}
	return append(append(Steps{}, s...), everything())
}

// Validate refuses steps that are invalid at any number of replicas: counts below 1, percentages outside 1 to 100, and
// steps of the same sort that do not rise.
func (s Steps) Validate() error {
	var count, percent int
	for _, step := range s {
		value, isPercent, err := stepValue(step)
		switch {
		case err != nil:
			return err
		case isPercent && (value < 1 || value > 100):
			return fmt.Errorf("step %q is not between 1%% and 100%%", step.String())
		case value < 1:
			return fmt.Errorf("step %q is below 1", step.String())
		}
		previous := &count
		if isPercent {
			previous = &percent
		}
		if value <= *previous || percent == 100 && !isPercent {
			return fmt.Errorf("step %q does not rise above the step before it", step.String())
		}
		*previous = value
	}
	return nil
}

// stepValue splits a step into its value and sort: 5 is (5, false), "25%" is (25, true).
func stepValue(step intstr.IntOrString) (value int, isPercent bool, err error) {
	if step.Type == intstr.Int {
		return step.IntValue(), false, nil
	}
	digits, ok := strings.CutSuffix(step.StrVal, "%")
	if value, err = strconv.Atoi(digits); !ok || err != nil {
		return 0, false, fmt.Errorf("step %q is neither a count nor a percentage", step.StrVal)
	}
	return value, true, nil
}

// For drops the steps that add no pod at this number of replicas, and refuses a count and a percentage that cross.
func (s Steps) For(replicas int32) (Steps, error) {
	var kept Steps
	var last int32
	for _, step := range s {
		// No step asks for less than one pod: 25% of a single replica is that one.
		target := max(resolveStep(step, replicas), min(1, replicas))
		if target < last {
			return nil, fmt.Errorf("step %q is %d of %d replicas, which does not rise above the %d of the step before it",
				step.String(), target, replicas, last)
		}
		if target == last {
			if target == replicas && step == everything() && len(kept) > 0 {
				kept[len(kept)-1] = step
			}
			continue
		}
		kept, last = append(kept, step), target
	}
	if len(kept) == 0 {
		kept = Steps{everything()} // without replicas no step adds a pod
	}
	return kept, nil
}

// Target returns the number of new pods after step i (from 0) at this number of replicas. Targets never fall from one
// step to the next, so that a Deployment that is scaled in mid-rollout does not go backwards. A target is at least one
// pod.
func (s Steps) Target(i int, replicas int32) int32 {
	target := min(1, replicas)
	for _, step := range s[:i+1] {
		target = max(target, resolveStep(step, replicas))
	}
	return target
}

// resolveStep returns the number of pods of a step. A percentage rounds up, but to all replicas only at 100%. A count
// is capped at all replicas.
func resolveStep(step intstr.IntOrString, replicas int32) int32 {
	value, isPercent, err := stepValue(step)
	if err != nil {
		return replicas
	}
	if !isPercent {
		return min(int32(value), replicas) //nolint:gosec // IntVal is an int32
	}
	if value >= 100 {
		return replicas
	}
	return min((int32(value)*replicas+99)/100, replicas-1) //nolint:gosec // 1 to 99
}
