package rollout

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestAddDrain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ template, want, said string }{
		"none": {
			`{"spec":{"containers":[{"name":"web"}]}}`,
			`{"spec":{"containers":[{"lifecycle":{"preStop":{"sleep":{"seconds":5}}},"name":"web"}],"terminationGracePeriodSeconds":35}}`,
			"preStop sleep of 5 s added to container web, terminationGracePeriodSeconds 30 -> 35",
		},
		"a hook of its own, and a postStart": {
			`{"spec":{"containers":[{"name":"a","lifecycle":{"preStop":{"exec":{"command":["x"]}}}},{"name":"b","lifecycle":{"postStart":{"exec":{}}}},{"name":"c"}],
			"terminationGracePeriodSeconds":2}}`,
			`{"spec":{"containers":[{"lifecycle":{"preStop":{"exec":{"command":["x"]}}},"name":"a"},
			{"lifecycle":{"postStart":{"exec":{}},"preStop":{"sleep":{"seconds":5}}},"name":"b"},{"lifecycle":{"preStop":{"sleep":{"seconds":5}}},"name":"c"}],
			"terminationGracePeriodSeconds":7}}`,
			"preStop sleep of 5 s added to containers b, c, terminationGracePeriodSeconds 2 -> 7",
		},
		"killed at once": {
			`{"spec":{"containers":[{"name":"web"}],"terminationGracePeriodSeconds":0}}`,
			`{"spec":{"containers":[{"lifecycle":{"preStop":{"sleep":{"seconds":5}}},"name":"web"}],"terminationGracePeriodSeconds":5}}`,
			"preStop sleep of 5 s added to container web, terminationGracePeriodSeconds 0 -> 5",
		},
		"nothing to add, sidecars": {
			`{"spec":{"containers":[{"name":"a","lifecycle":{"preStop":{"sleep":{"seconds":1}}}}],"initContainers":[{"name":"proxy","restartPolicy":"Always"}]}}`,
			`{"spec":{"containers":[{"lifecycle":{"preStop":{"sleep":{"seconds":1}}},"name":"a"}],"initContainers":[{"name":"proxy","restartPolicy":"Always"}]}}`,
			"every container has a preStop hook already, so that none is added",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var template, want any
			for text, into := range map[string]*any{c.template: &template, c.want: &want} {
				decoder := json.NewDecoder(strings.NewReader(text))
				decoder.UseNumber()
				if err := decoder.Decode(into); err != nil {
					t.Fatal(err)
				}
			}
			drained := AddDrain(template.(map[string]any), 5*time.Second)
			got, _ := json.Marshal(template)
			wanted, _ := json.Marshal(want)
			if string(got) != string(wanted) {
				t.Errorf("got  %s\nwant %s", got, wanted)
			}
			if drained.String() != c.said {
				t.Errorf("said %q, want %q", drained, c.said)
			}
			again := AddDrain(template.(map[string]any), 5*time.Second)
			if len(again.Containers) > 0 || again.Grace != again.Before {
				t.Errorf("a second time it adds %s", again)
			}
		})
	}
}
