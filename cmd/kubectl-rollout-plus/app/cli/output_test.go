package cli

import (
	"bytes"
	"testing"
)

func TestColoured(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		flag string
		env  map[string]string
		want bool
	}{
		"no terminal":                    {"auto", nil, false},
		"always":                         {"always", nil, true},
		"always beats all":               {"always", map[string]string{"NO_COLOR": "1", "CLICOLOR": "0", "TERM": "dumb"}, true},
		"never":                          {"never", nil, false},
		"never beats force":              {"never", map[string]string{"CLICOLOR_FORCE": "1"}, false},
		"force":                          {"auto", map[string]string{"CLICOLOR_FORCE": "1"}, true},
		"force off":                      {"auto", map[string]string{"CLICOLOR_FORCE": "0"}, false},
		"force empty":                    {"auto", map[string]string{"CLICOLOR_FORCE": ""}, false},
		"NO_COLOR beats force":           {"auto", map[string]string{"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, false},
		"an empty NO_COLOR says nothing": {"auto", map[string]string{"NO_COLOR": "", "CLICOLOR_FORCE": "1"}, true},
		"force beats CLICOLOR and TERM":  {"auto", map[string]string{"CLICOLOR_FORCE": "1", "CLICOLOR": "0", "TERM": "dumb"}, true},
		"CLICOLOR=1 does not force":      {"auto", map[string]string{"CLICOLOR": "1", "TERM": "xterm"}, false},
	} {
		env := &Env{color: test.flag, LookupEnv: func(name string) (string, bool) { value, ok := test.env[name]; return value, ok }}
		if got := env.coloured(&bytes.Buffer{}); got != test.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestCheckColor(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"auto", "always", "never"} {
		if err := (&Env{color: value}).CheckColor(); err != nil {
			t.Error(err)
		}
	}
	checkUsage(t, "yes", (&Env{color: "yes"}).CheckColor(), `--color "yes": expected auto, always or never`)
}
