//go:build e2e

package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// flagHelp is what help tells of a flag.
type flagHelp struct{ shorthand, value string }

// helpOf runs what tells of a command's flags and reads them.
func helpOf(t *testing.T, pattern *regexp.Regexp, args ...string) map[string]flagHelp {
	t.Helper()
	out, err := exec.Command("kubectl", args...).Output()
	must(t, err)
	text := string(out)
	found := map[string]flagHelp{}
	places := pattern.FindAllStringSubmatchIndex(text, -1)
	for i, at := range places {
		end := len(text)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		group := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return text[at[2*n]:at[2*n+1]]
		}
		value := group(3)
		if value == "" {
			// Where the default is not nothing, it stands at the end of the text.
			if said := regexp.MustCompile(`\(default\s+("[^"]*"|[^)]*)\)`).FindStringSubmatch(text[at[1]:end]); said != nil {
				value = said[1]
			}
		}
		found[group(2)] = flagHelp{shorthand: group(1), value: strings.Trim(value, `'"`)}
	}
	return found
}

// Every flag of kubectl's is there, with its shorthand and its default, but for the field manager: who wrote is to be told
// apart. Those that all commands of kubectl's take are, but for what is about kubectl itself: its version, its
// preferences, and how it is profiled.
func TestEveryFlagOfKubectls(t *testing.T) {
	t.Parallel()
	kubectls := regexp.MustCompile(`(?m)^    (?:-(\w), )?--([\w-]+)=(.*):$`)
	plugins := regexp.MustCompile(`(?m)^  (?:-(\w), |    )--([\w-]+)\b()`)
	nothing := map[string]bool{"": true, "[]": true, "false": true, "0": true, "0s": true, "none": true}
	compare := func(command string, ours, theirs map[string]flagHelp, least int) {
		if len(theirs) < least {
			t.Errorf("%s has %d flags: %v", command, len(theirs), theirs)
		}
		for name, want := range theirs {
			got, found := ours[name]
			if name == "field-manager" {
				want.value = "rollout-plus"
			}
			if !found || got.shorthand != want.shorthand || got.value != want.value && (!nothing[got.value] || !nothing[want.value]) {
				t.Errorf("%s --%s: got %+v, want %+v", command, name, got, want)
			}
		}
	}
	for command, least := range map[string]int{"status": 6, "history": 8, "undo": 8, "pause": 8, "resume": 8, "restart": 8} {
		compare(command, helpOf(t, plugins, "rollout-plus", command, "--help"), helpOf(t, kubectls, "rollout", command, "--help"), least)
	}
	options := helpOf(t, kubectls, "options")
	for _, its := range []string{"match-server-version", "kuberc", "profile", "profile-output", "log-flush-frequency", "cache-dir"} {
		delete(options, its)
	}
	compare("options", helpOf(t, plugins, "rollout-plus", "--help"), options, 20)
}
