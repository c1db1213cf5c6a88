package printers

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tell(NewJSON(&out, Deployment("shop", "web")))
	golden(t, "events.json", out.Bytes())
}

func TestJSONResults(t *testing.T) {
	t.Parallel()
	for name, result := range results() {
		var out bytes.Buffer
		NewJSON(&out, Deployment("shop", "web")).Result(began, result)
		golden(t, "result-"+name+".json", out.Bytes())
	}
}

// TestJSONIsStable checks what programs rely on in every line: a field may be added, but none of these may go.
func TestJSONIsStable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	printer := NewJSON(&out, Deployment("shop", "web"))
	tell(printer)
	printer.Affected(began, &Affected{ChangedKeys: []string{"color"}})
	printer.Config(began, ConfigChanged, "7f2k")
	printer.Result(began, results()["done"])
	needs := map[string][]string{
		"affected": {"changedKeys", "workloads"},
		"config":   {"change"},
		"plan":     {"replicas", "maxSurge", "maxUnavailable", "plan"},
		"step":     {"step", "steps", "target"},
		"progress": {"target", "new", "newReady", "old", "oldReady", "total", "ready"},
		"hold":     {"step", "steps", "target", "holdSeconds"},
		"finding":  {"finding", "message"},
		"rollback": {"revision"},
		"result":   {"outcome", "exitCode"},
	}
	var seen []string
	for line := range bytes.Lines(out.Bytes()) {
		var event map[string]any
		if err := json.Unmarshal(line, &event); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		kind, _ := event["type"].(string)
		if event["schemaVersion"] != float64(SchemaVersion) || event["object"] == nil {
			t.Errorf("%s", line)
		}
		if text, _ := event["time"].(string); !isTime(text) {
			t.Errorf("time %q is not RFC 3339", text)
		}
		for _, field := range needs[kind] {
			if _, found := event[field]; !found {
				t.Errorf("%s: no %s: %s", kind, field, line)
			}
		}
		if needs[kind] == nil {
			t.Errorf("type %q is not known", kind)
		}
		seen = append(seen, kind)
	}
	for kind := range needs {
		if !slices.Contains(seen, kind) {
			t.Errorf("no event of type %s", kind)
		}
	}
	if seen[len(seen)-1] != "result" {
		t.Errorf("the last event is %s", seen[len(seen)-1])
	}
}

func isTime(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}
