package plan

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// stepsOf reads steps as a command line gives them.
func stepsOf(text string) Steps {
	var steps Steps
	for part := range strings.SplitSeq(text, ",") {
		steps = append(steps, intstr.Parse(part))
	}
	return steps
}

func TestStepsValidate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1,25%,50%,100%": "",
		"1":              "",
		"100%":           "",
		"1,2,3":          "",
		"10%,5":          "", // at some numbers of replicas this rises
		"5,10%,6,20%":    "",
		"0":              `step "0" is below 1`,
		"-1":             `step "-1" is below 1`,
		"0%":             `step "0%" is not between 1% and 100%`,
		"101%":           `step "101%" is not between 1% and 100%`,
		"2,2":            `step "2" does not rise above the step before it`,
		"3,10%,2":        `step "2" does not rise above the step before it`,
		"50%,25%":        `step "25%" does not rise above the step before it`,
		"100%,100%":      `step "100%" does not rise above the step before it`,
		"100%,5":         `step "5" does not rise above the step before it`,
		"half":           `step "half" is neither a count nor a percentage`,
		"1.5%":           `step "1.5%" is neither a count nor a percentage`,
	} {
		err := stepsOf(text).Validate()
		if got := errorOf(err); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func errorOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestStepsComplete(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1":        "1,100%",
		"1,50%":    "1,50%,100%",
		"1,100%":   "1,100%",
		"100%":     "100%",
		"2,10":     "2,10,100%",
		"25%,99%":  "25%,99%,100%",
		"1000":     "1000,100%",
		"1,2,100%": "1,2,100%",
	} {
		given := stepsOf(text)
		if got := given.Complete().String(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if given.String() != text {
			t.Errorf("%s was changed to %s", text, given)
		}
	}
	if got := (Steps{}).Complete().String(); got != "100%" {
		t.Errorf("no steps: got %s", got)
	}
}

func TestStepsFor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		steps    string
		replicas int32
		want     string
		targets  []int32
		err      string
	}{
		{steps: "1,25%,50%,100%", replicas: 8, want: "1,25%,50%,100%", targets: []int32{1, 2, 4, 8}},
		{steps: "1,25%,50%,100%", replicas: 4, want: "1,50%,100%", targets: []int32{1, 2, 4}},
		{steps: "1,25%,50%,100%", replicas: 3, want: "1,50%,100%", targets: []int32{1, 2, 3}},
		{steps: "1,25%,50%,100%", replicas: 2, want: "1,100%", targets: []int32{1, 2}},
		{steps: "1,25%,50%,100%", replicas: 1, want: "100%", targets: []int32{1}},
		{steps: "1,25%,50%,100%", replicas: 0, want: "100%", targets: []int32{0}},
		{steps: "10%,99%,100%", replicas: 10, want: "10%,99%,100%", targets: []int32{1, 9, 10}},
		{steps: "99%,100%", replicas: 3, want: "99%,100%", targets: []int32{2, 3}},
		{steps: "1%,100%", replicas: 2, want: "1%,100%", targets: []int32{1, 2}},
		{steps: "1%,100%", replicas: 1, want: "100%", targets: []int32{1}},
		{steps: "3,100%", replicas: 3, want: "100%", targets: []int32{3}},
		{steps: "3,7,100%", replicas: 3, want: "100%", targets: []int32{3}},
		{steps: "33%,34%,100%", replicas: 3, want: "33%,34%,100%", targets: []int32{1, 2, 3}},
		{steps: "5,50%,100%", replicas: 20, want: "5,50%,100%", targets: []int32{5, 10, 20}},
		{steps: "5,50%,100%", replicas: 8, err: `step "50%" is 4 of 8 replicas, which does not rise above the 5 of the step before it`},
		{steps: "50%,5,100%", replicas: 20, err: `step "5" is 5 of 20 replicas, which does not rise above the 10 of the step before it`},
	} {
		steps, err := stepsOf(test.steps).For(test.replicas)
		if errorOf(err) != test.err || err == nil && steps.String() != test.want {
			t.Errorf("%s at %d: got %s, %v; want %s, %s", test.steps, test.replicas, steps, err, test.want, test.err)
			continue
		}
		for i, want := range test.targets {
			if got := steps.Target(i, test.replicas); got != want {
				t.Errorf("%s at %d: step %d has %d new pods, want %d", test.steps, test.replicas, i+1, got, want)
			}
		}
	}
}

func TestStepsTargetWithOtherReplicasThanAtTheStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		steps    string
		replicas int32
		want     []int32
	}{
		{"5,50%,100%", 8, []int32{5, 5, 8}}, // does not go backwards
		{"5,50%,100%", 3, []int32{3, 3, 3}},
		{"5,50%,100%", 40, []int32{5, 20, 40}},
		{"25%,100%", 1, []int32{1, 1}}, // never asks for less than one pod
		{"25%,100%", 0, []int32{0, 0}},
	} {
		for i, want := range test.want {
			if got := stepsOf(test.steps).Target(i, test.replicas); got != want {
				t.Errorf("%s at %d: step %d has %d new pods, want %d", test.steps, test.replicas, i+1, got, want)
			}
		}
	}
}

func TestPercentagesRoundUpAndReachAllOnlyAtTheEnd(t *testing.T) {
	t.Parallel()
	for replicas := int32(1); replicas <= 200; replicas++ {
		for percent := 1; percent <= 100; percent++ {
			want := int32(math.Ceil(float64(percent) * float64(replicas) / 100))
			if percent < 100 && want == replicas {
				want--
			}
			if got := resolveStep(intstr.FromString(strconv.Itoa(percent)+"%"), replicas); got != want {
				t.Fatalf("%d%% of %d: got %d, want %d", percent, replicas, got, want)
			}
		}
	}
}
