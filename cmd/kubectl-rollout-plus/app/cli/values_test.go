package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// checkUsage checks that bad input is refused with exit code 2 and the words in want, and other input accepted.
func checkUsage(t *testing.T, what string, err error, want string) (refused bool) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: got %v, want %q", what, err, want)
	case want != "" && CodeOf(err) != ExitUsage:
		t.Errorf("%s: exit code %d", what, CodeOf(err))
	}
	return err != nil
}

func TestParseSteps(t *testing.T) {
	t.Parallel()
	for value, test := range map[string]struct{ want, err string }{
		"":             {want: "1,25%,50%,100%"},
		"1":            {want: "1"},
		"1,25%, 50%":   {want: "1,25%,50%"},
		"007":          {want: "7"},
		"1,":           {err: `--steps "1,": "" is neither a count such as 3 nor a percentage such as 25%`},
		"all":          {err: `"all" is neither a count`},
		"-1":           {err: `"-1" is neither a count`},
		"1.5":          {err: `"1.5" is neither a count`},
		"50 %":         {err: `"50 %" is neither a count`},
		"0":            {err: `step "0" is below 1`},
		"0%":           {err: "not between 1% and 100%"},
		"120%":         {err: "not between 1% and 100%"},
		"2,1":          {err: "does not rise"},
		"50%,50%":      {err: "does not rise"},
		"9999999999":   {err: `"9999999999" is neither a count`},
		"99999999999%": {err: `"99999999999%" is neither a count`},
	} {
		steps, err := parseSteps(value)
		if !checkUsage(t, value, err, test.err) && steps.String() != test.want {
			t.Errorf("%q: got %s, want %s", value, steps, test.want)
		}
	}
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ surge, unavailable, want, err string }{
		{"", "", "nil/nil", ""},
		{"1", "", "1/nil", ""},
		{"", "25%", "nil/25%", ""},
		{"200%", "100%", "200%/100%", ""},
		{"0", "1", "0/1", ""},
		{"0", "", "0/nil", ""},
		{"0", "0", "", "both are zero"},
		{"0%", "00", "", "both are zero"},
		{"", "101%", "", "more than 100% of the pods cannot be missing"},
		{"many", "", "", `--max-surge "many": "many" is neither a count`},
		{"-1", "", "", `--max-surge "-1"`},
		{"1", "1e3", "", `--max-unavailable "1e3"`},
	} {
		surge, unavailable, err := ParseLimits(test.surge, test.unavailable)
		what := test.surge + "/" + test.unavailable
		if checkUsage(t, what, err, test.err) {
			continue
		}
		got := []string{"nil", "nil"}
		if surge != nil {
			got[0] = surge.String()
		}
		if unavailable != nil {
			got[1] = unavailable.String()
		}
		if strings.Join(got, "/") != test.want {
			t.Errorf("%s: got %v, want %s", what, got, test.want)
		}
	}
}

func TestParseImage(t *testing.T) {
	t.Parallel()
	for value, test := range map[string]struct {
		want podtemplate.ImageChange
		err  string
	}{
		"web:2":                             {want: podtemplate.ImageChange{Image: "web:2"}},
		"app=registry.example.com:5000/a:2": {want: podtemplate.ImageChange{Container: "app", Image: "registry.example.com:5000/a:2"}},
		"*=web@sha256:0123":                 {want: podtemplate.ImageChange{Container: "*", Image: "web@sha256:0123"}},
		"":                                  {err: `"" is not the name of an image`},
		"app=":                              {err: `"" is not the name of an image`},
		"=web:2":                            {err: "the container's name before the = is missing"},
		"a=b=c":                             {err: `"b=c" is not the name of an image`},
		"web 2":                             {err: `"web 2" is not the name of an image`},
	} {
		if got, err := ParseImage(value); !checkUsage(t, value, err, test.err) && got != test.want {
			t.Errorf("%q: got %+v, want %+v", value, got, test.want)
		}
	}
}

func TestParseEnv(t *testing.T) {
	t.Parallel()
	for value, test := range map[string]struct {
		want podtemplate.EnvChange
		err  string
	}{
		"A=1":          {want: podtemplate.EnvChange{Name: "A", Value: "1"}},
		"A=":           {want: podtemplate.EnvChange{Name: "A"}},
		"A=b=c:d-":     {want: podtemplate.EnvChange{Name: "A", Value: "b=c:d-"}},
		"A-":           {want: podtemplate.EnvChange{Name: "A", Remove: true}},
		"app:A=1":      {want: podtemplate.EnvChange{Container: "app", Name: "A", Value: "1"}},
		"app:A-":       {want: podtemplate.EnvChange{Container: "app", Name: "A", Remove: true}},
		"my-app:A.b=1": {want: podtemplate.EnvChange{Container: "my-app", Name: "A.b", Value: "1"}},
		"A":            {err: "expected KEY=VALUE, or KEY- to remove the variable"},
		"":             {err: "expected KEY=VALUE"},
		"=1":           {err: `"" is not the name of a variable`},
		":A=1":         {err: "the container's name before the : is missing"},
		"app:=1":       {err: `"" is not the name of a variable`},
	} {
		if got, err := ParseEnv(value); !checkUsage(t, value, err, test.err) && got != test.want {
			t.Errorf("%q: got %+v, want %+v", value, got, test.want)
		}
	}
}

func TestOneWorkload(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"deployment/web":         "Deployment web",
		"deployment web":         "Deployment web",
		"deploy/web":             "Deployment web",
		"Deployments.apps/web":   "Deployment web",
		"deployment.v1.apps web": "Deployment web",
		"sts/db":                 "StatefulSet db",
		"daemonset agent":        "DaemonSet agent",
		"":                       "required resource not specified",
		"web":                    `name the object as TYPE/NAME, not "web"`,
		"replicaset/web":         `only Deployments, StatefulSets and DaemonSets have revisions, not "replicaset"`,
		"deployment/":            `"" is not the name of a Deployment`,
		"deployment/a/b":         `"a/b" is not the name of a Deployment`,
		"deployment a b":         "one object at a time, not deployment a b",
		"deploy/a sts/b":         "one object at a time, not deploy/a sts/b",
	} {
		kind, name, err := oneWorkload(strings.Fields(args))
		got := kind + " " + name
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q: got %q, want %q", args, got, want)
		}
	}
}

func TestUsageErrorOfNothing(t *testing.T) {
	t.Parallel()
	if err := UsageError(nil); err != nil {
		t.Errorf("got %v", err)
	}
	if inner := errors.New("x"); !errors.Is(UsageError(inner), inner) {
		t.Error("the cause is lost")
	}
}
