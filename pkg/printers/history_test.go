package printers

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
)

func revisions() []Revision {
	infos := []history.Revision{
		{Number: 1, Created: began.Add(-26 * time.Hour), Images: []string{"web:v1"}, ChangedBy: history.Unknown, State: history.StateOld},
		{
			Number: 3, Created: began.Add(-90 * time.Minute), Images: []string{"web:v2", "side:v1"}, Ready: 2, Total: 3, ChangedBy: "kubectl-set",
			ChangeCause: "kubectl set\n image\tdeployment/web ", State: history.StateStable,
		},
		// This machine's clock is behind the cluster's.
		{
			Number: 5, Created: began.Add(-26 * time.Hour), MadeAfter: began.Add(-90 * time.Minute), Images: []string{"web:v1"},
			ChangedBy: history.Unknown, State: history.StateOld,
		},
		{Number: 7, Created: began.Add(-time.Hour), Images: []string{"web:v1"}, Uncounted: true, ChangedBy: "helm", State: history.StateOld},
		{Number: 12, Created: began.Add(time.Second), Ready: 0, Total: 1, ChangedBy: "helm", ChangeCause: "a & b", State: history.StateNew},
	}
	return []Revision{
		{&infos[0], []RevisionConfig{{Config: Config{"ConfigMap", "web"}}}},
		{&infos[1], []RevisionConfig{
			{Config: Config{"ConfigMap", "web"}, Version: "web-m8mt92gg65", Hash: "m8mt92gg65"},
			{Config: Config{"Secret", "a"}, Version: "a-m8mt92gg65", Hash: "m8mt92gg65"},
		}},
		{&infos[2], []RevisionConfig{{Config: Config{"Secret", "b"}, Absent: true}}},
		{&infos[3], nil},
		{&infos[4], nil},
	}
}

func TestHistoryTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	// As kubectl's.
	table := tabwriter.NewWriter(&out, 6, 4, 3, ' ', 0)
	HistoryTable(table, revisions(), began)
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	golden(t, "history.txt", out.Bytes())
	for line := range strings.Lines(out.String()) {
		if len(line) > 140 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

func TestHistoryFields(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	for i := range revisions() {
		fields, err := HistoryFields(&revisions()[i], began)
		if err == nil {
			err = encoder.Encode(fields)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "history.json", out.Bytes())
}

func TestDiff(t *testing.T) {
	t.Parallel()
	const before = "metadata:\n  labels:\n    app: web\nspec:\n  containers:\n  - image: web:v1\n    name: web\n  - name: side\n"
	after := strings.Replace(strings.Replace(before, "v1", "v2", 1), "  - name: side", "  - name: --side", 1)
	for name, coloured := range map[string]bool{"diff.txt": false, "diff-coloured.txt": true} {
		var out bytes.Buffer
		differs, err := Diff(&out, NewPalette(coloured), Text{"old", []byte(before)}, Text{"new", []byte(after)})
		if err != nil || !differs {
			t.Errorf("%s: %v, %v", name, differs, err)
		}
		golden(t, name, out.Bytes())
	}
	var out bytes.Buffer
	if differs, err := Diff(&out, NewPalette(true), Text{"old", []byte(before)}, Text{"new", []byte(before)}); differs || err != nil || out.Len() > 0 {
		t.Errorf("the same texts differ: %v, %v, %s", differs, err, &out)
	}
}
