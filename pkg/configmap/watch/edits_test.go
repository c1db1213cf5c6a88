package watch

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// editing is a head's edits with a clock of its own: seconds since the beginning.
type editing struct {
	*testing.T
	edits   Edits
	now     time.Time
	begin   time.Time
	present map[configmap.Object]*configmap.Content
}

func newEditing(t *testing.T, present ...string) *editing {
	t.Helper()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	e := &editing{T: t, edits: Edits{Quiet: 2 * time.Second}, now: begin, begin: begin, present: map[configmap.Object]*configmap.Content{}}
	for _, each := range present {
		e.set(each)
	}
	e.edits.Observe(e.now, e.present)
	return e
}

// set gives a head another content, as in a=1; a- takes the head away.
func (e *editing) set(edit string) {
	name, value, found := strings.Cut(edit, "=")
	if found {
		e.present[head(name)] = content(value)
	} else {
		delete(e.present, head(strings.TrimSuffix(name, "-")))
	}
}

func head(name string) configmap.Object {
	return configmap.Object{Kind: configmap.ConfigMap, Name: name}
}

func content(value string) *configmap.Content {
	return &configmap.Content{Text: map[string]string{"key": value}}
}

// do carries out a line of a test: at SECOND, then edits and what becomes of them, and in the end what is to be rolled out
// or when to ask again.
func (e *editing) do(line string) {
	e.Helper()
	words := strings.Fields(line)
	var at int
	if _, err := fmt.Sscan(words[0], &at); err != nil {
		e.Fatal(err)
	}
	e.now = e.begin.Add(time.Duration(at) * time.Second)
	for _, word := range words[1:] {
		verb, rest, _ := strings.Cut(word, ":")
		name, value, _ := strings.Cut(rest, "=")
		switch verb {
		case "set":
			e.set(rest)
			e.edits.Observe(e.now, maps.Clone(e.present))
		case "look":
			e.edits.Look(head(name))
		case "done":
			e.edits.Settle(head(name), content(value))
		case "gone": // everybody runs without it
			e.edits.Settle(head(name), nil)
		case "fails":
			e.edits.Fail(map[configmap.Object]*configmap.Content{head(name): content(value)}, nil)
		case "back": // they failed together, and the heads hold again what they held before
			failed, back := map[configmap.Object]*configmap.Content{}, map[configmap.Object]*configmap.Content{}
			for edit := range strings.SplitSeq(rest, ",") {
				name, value, _ := strings.Cut(edit, "=")
				failed[head(name)], back[head(name)] = e.present[head(name)], content(value)
			}
			e.edits.Fail(failed, back)
		case "backs": // the same, and the watches have brought it
			e.do(words[0] + " back:" + rest)
			for edit := range strings.SplitSeq(rest, ",") {
				e.set(edit)
			}
			e.edits.Observe(e.now, maps.Clone(e.present))
		case "cannot":
			e.edits.Postpone(head(name), e.now)
		case "calm", "burst":
			if got := e.edits.Burst(); got != (verb == "burst") {
				e.Errorf("%s: a burst: %v", line, got)
			}
		case "roll", "wait":
			e.expect(line, verb, rest)
		default:
			e.Fatalf("%s: what is %q?", line, word)
		}
	}
}

func (e *editing) expect(line, verb, want string) {
	e.Helper()
	ready, again := e.edits.Take(e.now)
	got := []string{}
	for _, object := range ready {
		got = append(got, object.Name)
	}
	told := "roll:" + strings.Join(got, ",")
	if len(ready) == 0 {
		told = "wait:"
		if !again.IsZero() {
			told += fmt.Sprint(again.Sub(e.begin).Seconds())
		}
	}
	if told != verb+":"+want {
		e.Errorf("%s: %s", line, told)
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"nothing is edited":              {"0 wait:", "100 wait:"},
		"what nobody has looked at":      {"0 look:a roll:a", "0 done:a=1 wait:"},
		"of several, in order":           {"0 look:b look:a roll:a,b"},
		"edited before their turn":       {"0 look:b look:a roll:a,b", "1 calm: set:a=2 burst: wait:3", "3 roll:a,b", "3 calm:"},
		"one edit":                       {"1 set:a=2 wait:3", "3 roll:a", "4 done:a=2 wait:"},
		"a burst":                        {"1 set:a=2 wait:3", "2 set:a=3 wait:4", "3 set:a=4 wait:5", "5 roll:a", "5 done:a=4 wait:"},
		"a burst over several":           {"1 set:a=2 wait:3", "2 set:b=2 wait:4", "3 wait:4", "4 roll:a,b", "4 done:a=2 done:b=2 wait:"},
		"a burst that does not end":      append(burst(20), "20 set:a=20 wait:21", "21 roll:a"),
		"forth and back":                 {"1 set:a=2 wait:3", "2 set:a=1 wait:", "3 wait:"},
		"forth, rolled out, and back":    {"1 set:a=2 wait:3", "3 roll:a", "4 done:a=2 set:a=1 wait:6", "6 roll:a"},
		"edited during the rollout":      {"1 set:a=2", "3 roll:a", "9 done:a=2 set:a=3 wait:11", "11 roll:a"},
		"edited and back during it":      {"1 set:a=2", "3 roll:a", "5 set:a=3", "6 set:a=2", "9 done:a=2 wait:"},
		"it fails and stays":             {"1 set:a=2", "3 roll:a", "9 fails:a=2 wait:", "100 set:a=2 wait:"},
		"it fails, and a good one comes": {"1 set:a=2", "3 roll:a", "9 fails:a=2 set:a=3 wait:11", "11 roll:a", "12 done:a=3 wait:"},
		"it fails, somebody goes back":   {"1 set:a=2", "3 roll:a", "9 fails:a=2", "10 set:a=1 wait:", "20 set:a=2 wait:22", "22 roll:a"},
		"it fails and is taken back":     {"1 set:a=2", "3 roll:a", "9 backs:a=1 wait:"},
		"a tool gives it again":          {"1 set:a=2", "3 roll:a", "9 backs:a=1", "10 set:a=2 wait:", "11 set:a=1 wait:", "12 set:a=2 wait:"},
		"after that a good one":          {"1 set:a=2", "3 roll:a", "9 backs:a=1", "10 set:a=3 wait:12", "12 roll:a", "13 done:a=3 set:a=2 wait:15"},
		"at the start it is taken back":  {"0 look:a roll:a", "5 backs:a=0 wait:", "6 set:a=1 wait:", "7 set:a=2 wait:9"},
		"it fails, another one comes":    {"1 set:a=2 set:b=2", "3 roll:a,b", "9 fails:a=2 done:b=2 wait:", "10 set:b=3 wait:12", "12 roll:b"},
		"two fail together":              {"1 set:a=2 set:b=2", "3 roll:a,b", "9 backs:a=1,b=1 wait:", "10 set:a=2 wait:12", "12 roll:a"},
		"a tool gives both again": {
			"1 set:a=2 set:b=2", "3 roll:a,b", "9 backs:a=1,b=1 wait:", "10 set:a=2 wait:12", "11 set:b=2 wait:",
		},
		"and one after another": {
			"1 set:a=2 set:b=2", "3 roll:a,b", "9 backs:a=1,b=1", "10 set:a=2 wait:12", "12 roll:a done:a=2 wait:",
			"13 set:b=2 wait:15", "15 roll:b backs:b=1 wait:", "16 set:b=2 wait:", "17 set:a=3 wait:19", "19 roll:a",
		},
		"the watches bring one after another": {
			"1 set:a=2 set:b=2", "3 roll:a,b", "9 back:a=1,b=1 wait:", "9 set:a=1 wait:", "9 set:b=1 wait:", "20 set:b=2 wait:22", "22 roll:b",
		},
		"it cannot begin": {
			"1 set:a=2", "3 roll:a", "3 cannot:a wait:8", "8 roll:a", "8 cannot:a wait:18", "18 roll:a", "18 cannot:a wait:38",
			"40 set:a=3 wait:42", "42 roll:a", "42 cannot:a wait:47",
		},
		"it cannot begin, for long":          {"0 look:a roll:a", "0 cannot:a cannot:a cannot:a cannot:a cannot:a cannot:a cannot:a cannot:a wait:300"},
		"it cannot begin, another one can":   {"0 look:a roll:a", "0 cannot:a set:b=2 wait:2", "2 roll:b", "3 done:b=2 wait:5", "5 roll:a"},
		"it cannot begin, and is taken back": {"1 set:a=2", "3 roll:a", "3 cannot:a set:a=1 wait:"},
		"deleted":                            {"1 set:a- wait:3", "3 roll:a", "4 gone:a wait:"},
		"deleted, and created as it was":     {"1 set:a- wait:3", "2 set:a=1 wait:", "9 wait:"},
		"deleted and created anew":           {"1 set:a- wait:3", "2 set:a=2 wait:4", "4 roll:a"},
		"created after that is rolled out":   {"1 set:a- wait:3", "3 roll:a", "4 gone:a", "9 set:a=1 wait:11", "11 roll:a"},
		"edited and deleted":                 {"1 set:a=2 wait:3", "2 set:a- wait:4", "4 roll:a"},
		"deleted during its rollout":         {"1 set:a=2", "3 roll:a", "5 set:a- done:a=2 wait:7", "7 roll:a"},
		"created while that is rolled out":   {"1 set:a- wait:3", "3 roll:a", "5 set:a=1 gone:a roll:a"},
		"a deletion fails and is taken back": {"1 set:a-", "3 roll:a", "9 backs:a=1 wait:", "10 set:a- wait:", "11 set:a=3 wait:13", "13 roll:a"},
		"a deletion that blocks":             {"1 set:a-", "3 roll:a", "3 cannot:a wait:8", "4 set:a=1 wait:"},
		"one that was never there":           {"0 look:c roll:c", "0 gone:c wait:", "9 set:c=1 wait:11", "11 roll:c"},
		"a new one":                          {"1 set:c=1 wait:3", "3 roll:c", "3 done:c=1 wait:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEditing(t, "a=1", "b=1")
			for _, line := range lines {
				e.do(line)
			}
		})
	}
}

// burst edits in every second.
func burst(seconds int) []string {
	lines := make([]string, 0, seconds)
	for second := 1; second < seconds; second++ {
		lines = append(lines, fmt.Sprintf("%d set:a=%d wait:%d", second, -second, min(second+2, 21)))
	}
	return lines
}

func TestEditsTellWhatPodsStartedWith(t *testing.T) {
	t.Parallel()
	e := newEditing(t, "a=1")
	e.do("1 set:a=2")
	if got := e.edits.Settled(head("a")); !got.Equal(content("1")) {
		t.Errorf("after an edit: %v", got)
	}
	e.do("3 roll:a done:a=2 set:a=3")
	if got := e.edits.Settled(head("a")); !got.Equal(content("2")) {
		t.Errorf("after a rollout and an edit: %v", got)
	}
	e.do("5 roll:a fails:a=3 set:a=4")
	if got := e.edits.Settled(head("a")); !got.Equal(content("2")) {
		t.Errorf("after a failure: %v", got)
	}
	if e.edits.Due(head("b")) || !e.edits.Due(head("a")) {
		t.Error("a is due, and b is not known")
	}
}
