package diff

import (
	"strings"
	"testing"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
)

func TestPick(t *testing.T) {
	t.Parallel()
	template := func(name string) map[string]any { return map[string]any{"name": name} }
	entry := func(number int64, name string, state history.State) history.Revision {
		return history.Revision{Number: number, Template: template(name), State: state}
	}
	three := &history.History{Template: template("c"), Revisions: []history.Revision{
		entry(1, "a", history.StateOld), entry(2, "b", history.StateOld), entry(3, "c", history.StateCurrent),
	}}
	pending := &history.History{Template: template("d"), Revisions: []history.Revision{entry(1, "a", history.StateOld), entry(2, "b", history.StateStable)}}
	first := &history.History{Template: template("a"), Revisions: []history.Revision{entry(1, "a", history.StateCurrent)}}
	for name, c := range map[string]struct {
		history    *history.History
		revisions  []int64
		from, to   string
		fromNumber int64
		toNumber   int64
		err        string
	}{
		"the latest change":        {three, nil, "b", "c", 2, 3, ""},
		"since a revision":         {three, []int64{1}, "a", "c", 1, 3, ""},
		"the current with itself":  {three, []int64{3}, "c", "c", 3, 3, ""},
		"two":                      {three, []int64{1, 2}, "a", "b", 1, 2, ""},
		"two, backward":            {three, []int64{3, 1}, "c", "a", 3, 1, ""},
		"not rolled out yet":       {pending, nil, "b", "d", 2, 0, ""},
		"nothing before":           {first, nil, "", "", 0, 0, "deployment.apps/web has no revision before the current one to compare it with"},
		"unknown":                  {three, []int64{4}, "", "", 0, 0, "unable to find the specified revision: deployment.apps/web has no revision 4"},
		"the second is unknown":    {three, []int64{1, 5}, "", "", 0, 0, "has no revision 5"},
		"not even one, not so far": {&history.History{Template: template("a")}, nil, "", "", 0, 0, "has no revision before"},
	} {
		from, to, err := (&diffFlags{revisions: c.revisions}).pick(c.history, "deployment.apps/web")
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %s", name, err, c.err)
			}
			continue
		}
		if err != nil || from.Template["name"] != c.from || to.Template["name"] != c.to || from.Number != c.fromNumber || to.Number != c.toNumber {
			t.Errorf("%s: from %v to %v, %v", name, from, to, err)
		}
	}
}
