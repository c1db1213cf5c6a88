package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// countOrPercent matches the values of steps and limits: 3 or 25%.
var countOrPercent = regexp.MustCompile(`^[0-9]{1,9}%?$`)

// parseCount parses 3 or 25%.
func parseCount(value string) (intstr.IntOrString, error) {
	if !countOrPercent.MatchString(value) {
		return intstr.IntOrString{}, fmt.Errorf("%q is neither a count such as 3 nor a percentage such as 25%%", value)
	}
	return intstr.Parse(value), nil
}

// parseSteps parses the value of --steps.
func parseSteps(value string) (plan.Steps, error) {
	if value == "" {
		return plan.DefaultSteps(), nil
	}
	var steps plan.Steps
	for part := range strings.SplitSeq(value, ",") {
		step, err := parseCount(strings.TrimSpace(part))
		if err != nil {
			return nil, FlagError("steps", value, err)
		}
		steps = append(steps, step)
	}
	if err := steps.Validate(); err != nil {
		return nil, FlagError("steps", value, err)
	}
	return steps, nil
}

// parseLimit parses the value of --max-surge or --max-unavailable. It returns nil if none is given.
func parseLimit(flag, value string) (*intstr.IntOrString, error) {
	if value == "" {
		return nil, nil
	}
	limit, err := parseCount(value)
	if err != nil {
		return nil, FlagError(flag, value, err)
	}
	if percent, isPercent := strings.CutSuffix(value, "%"); isPercent && flag == "max-unavailable" {
		if n, err := strconv.Atoi(percent); err != nil || n > 100 {
			return nil, FlagError(flag, value, fmt.Errorf("more than 100%% of the pods cannot be missing"))
		}
	}
	return &limit, nil
}

// ParseLimits parses both limits. It refuses zero for both, since no pod could be replaced then.
func ParseLimits(surge, unavailable string) (maxSurge, maxUnavailable *intstr.IntOrString, err error) {
	if maxSurge, err = parseLimit("max-surge", surge); err != nil {
		return nil, nil, err
	}
	if maxUnavailable, err = parseLimit("max-unavailable", unavailable); err != nil {
		return nil, nil, err
	}
	if IsZero(maxSurge) && IsZero(maxUnavailable) {
		return nil, nil, UsageError(fmt.Errorf("--max-surge %s and --max-unavailable %s: both are zero, so no pod could be replaced; raise one of them",
			surge, unavailable))
	}
	return maxSurge, maxUnavailable, nil
}

// IsZero reports whether a limit is given and is 0 or 0%.
func IsZero(limit *intstr.IntOrString) bool {
	return limit != nil && strings.TrimRight(strings.TrimSuffix(limit.String(), "%"), "0") == ""
}

// ParseImage parses [CONTAINER=]IMAGE.
func ParseImage(value string) (podtemplate.ImageChange, error) {
	container, image, named := strings.Cut(value, "=")
	if !named {
		container, image = "", value
	}
	switch {
	case named && container == "":
		return podtemplate.ImageChange{}, FlagError("image", value, fmt.Errorf("the container's name before the = is missing"))
	case image == "" || strings.ContainsAny(image, " \t\n="):
		return podtemplate.ImageChange{}, FlagError("image", value, fmt.Errorf("%q is not the name of an image", image))
	}
	return podtemplate.ImageChange{Container: container, Image: image}, nil
}

// ParseEnv parses [CONTAINER:]KEY=VALUE and [CONTAINER:]KEY-.
func ParseEnv(value string) (podtemplate.EnvChange, error) {
	var change podtemplate.EnvChange
	name, text, set := strings.Cut(value, "=")
	if !set {
		var remove bool
		if name, remove = strings.CutSuffix(value, "-"); !remove {
			return change, FlagError("env", value, fmt.Errorf("expected KEY=VALUE, or KEY- to remove the variable"))
		}
		change.Remove = true
	}
	if container, rest, found := strings.Cut(name, ":"); found {
		if container == "" {
			return change, FlagError("env", value, fmt.Errorf("the container's name before the : is missing"))
		}
		change.Container, name = container, rest
	}
	if errs := validation.IsEnvVarName(name); len(errs) > 0 {
		return change, FlagError("env", value, fmt.Errorf("%q is not the name of a variable: %s", name, errs[0]))
	}
	change.Name, change.Value = name, text
	return change, nil
}

// FlagError returns a usage error that names the flag and its value.
func FlagError(flag, value string, err error) error {
	return UsageError(fmt.Errorf("--%s %q: %w", flag, value, err))
}

// CheckDrain returns an error for a value of --drain that no preStop hook can sleep.
func CheckDrain(drain, least time.Duration) error {
	switch {
	case drain < least:
		return FlagError("drain", drain.String(), fmt.Errorf("expected at least %s", least))
	case drain%time.Second != 0:
		return FlagError("drain", drain.String(), errors.New("expected whole seconds, since that is what a preStop hook can sleep"))
	case drain > time.Hour:
		return FlagError("drain", drain.String(), errors.New("expected an hour at most"))
	}
	return nil
}
