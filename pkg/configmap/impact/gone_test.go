package impact

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// pods begin at second 20 of a test, with the last write of each at revision 200.
func runningSince(w *Workload) {
	w.Runs = []Run{{Started: secondOf(20), Revision: 200}, {Started: secondOf(25), Revision: 250}}
	w.Since = secondOf(20)
}

// readAt is what the ConfigMap web was at a revision, made at a second and changed at another.
func readAt(revision Revision, content *configmap.Content, created, changed int) Past {
	return Past{Revision: revision, Content: content, Age: Age{
		Created: secondOf(created), Changed: secondOf(changed), Written: secondOf(changed), Revision: 100,
	}}
}

// TestAnObjectThatIsGone judges workloads by an object that is not there, as env, as files and where it is required.
func TestAnObjectThatIsGone(t *testing.T) {
	t.Parallel()
	web := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
	const optional = "envFrom: [{configMapRef: {name: web, optional: true}}]"
	key := app("env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: a, optional: true}}}]")
	files := mounts("configMap: {name: web, optional: true}", "")
	sub := mounts("configMap: {name: web, optional: true}", ", subPath: a")
	projected := mounts("projected: {sources: [{configMap: {name: web, optional: true}}]}", "")
	was := []Past{readAt(300, text("a=1"), 10, 10)}
	for name, test := range map[string]struct {
		spec    string
		note    string
		settled *configmap.Content
		past    []Past
		idle    bool
		want    Verdict
		unsure  bool
	}{
		"it was there when they started":             {app(optional), "", nil, was, false, Restart, false},
		"so it was for a key":                        {key, "", nil, was, false, Restart, false},
		"another key than that":                      {key, "", nil, []Past{readAt(300, text("b=1"), 10, 10)}, false, None, false},
		"for files, which pods see go":               {files, "", nil, was, false, Live, false},
		"for projected files":                        {projected, "", nil, was, false, Live, false},
		"for a file by subPath":                      {sub, "", nil, was, false, Restart, false},
		"it was changed since, but there":            {app(optional), "", nil, []Past{readAt(300, text("a=1"), 10, 22)}, false, Restart, false},
		"made since the first pod, before the other": {app(optional), "", nil, []Past{readAt(300, text("a=1"), 22, 22)}, false, Restart, false},
		"made since they started":                    {app(optional), "", nil, []Past{readAt(300, text("a=1"), 26, 26)}, false, Unsupported, true},
		"read before the start of a pod was known":   {app(optional), "", nil, []Past{readAt(199, text("a=1"), 10, 10)}, false, Unsupported, true},
		"nothing tells":                              {app(optional), "", nil, nil, false, Unsupported, true},
		"nothing tells of a key":                     {key, "", nil, nil, false, Unsupported, true},
		"nothing tells of a file by subPath":         {sub, "", nil, nil, false, Unsupported, true},
		"nothing tells, but pods see for themselves": {files, "", nil, nil, false, None, false},
		"no pod runs":                                {app(optional), "", nil, nil, true, None, false},
		"noted, a version":                           {app(optional), "web-mm", nil, nil, false, Restart, false},
		"noted, that it was not there":               {app(optional), configmap.Absent, nil, was, false, None, false},
		"a watch has seen it":                        {app(optional), "", text("a=1"), nil, false, Restart, false},
		"a watch has seen it, the key was not there": {key, "", text("b=1"), nil, false, None, false},
		"it is required":                             {app("envFrom: [{configMapRef: {name: web}}]"), "", nil, nil, false, Block, false},
		"a key of it is required":                    {app("env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: a}}}]"), "", nil, nil, false, Block, false},
		"required files":                             {mounts("configMap: {name: web}", ""), "", nil, nil, false, Block, false},
		"required, and no pod runs":                  {app("envFrom: [{configMapRef: {name: web}}]"), "", nil, nil, true, Block, false},
		"a version, which stays":                     {app("envFrom: [{configMapRef: {name: web-mm}}]"), "", text("a=1"), nil, false, None, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := Workload{Kind: "Deployment", Name: "web", Spec: podSpec(t, test.spec), Rolls: true}
			if !test.idle {
				runningSince(&w)
			}
			if test.note != "" {
				w.Annotations = map[string]string{configmap.RecordKey(web): test.note}
			}
			c := &Change{
				Object: web, Old: test.settled, Stale: test.settled == nil, Past: test.past,
				Versions: map[configmap.Object]*configmap.Content{{Kind: configmap.ConfigMap, Name: "web-mm"}: text("a=1")},
			}
			got := c.Affected([]Workload{w})[0]
			if got.Verdict != test.want || got.Uncertain != test.unsure || test.unsure && got.Note == "" || strings.Contains(fmt.Sprint(got), configmap.Opaque) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestAKeyThatWasRemoved judges workloads by an object from which a key may have been removed, which leaves no time, and by
// one that was deleted and made anew.
func TestAKeyThatWasRemoved(t *testing.T) {
	t.Parallel()
	web := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
	all := app("envFrom: [{configMapRef: {name: web, optional: true}}]")
	written := func(revision Revision, created, changed, wrote int) Age {
		return Age{Created: secondOf(created), Changed: secondOf(changed), Written: secondOf(wrote), Revision: revision}
	}
	for name, test := range map[string]struct {
		spec   string
		age    Age
		past   []Past
		want   Verdict
		unsure bool
		reads  int
	}{
		"not written since":                     {all, written(100, 10, 10, 10), nil, None, false, 0},
		"a label came":                          {all, written(300, 10, 10, 30), nil, None, false, 1},
		"something was removed":                 {all, written(300, 10, 10, 10), nil, Unsupported, true, 1},
		"a key was":                             {all, written(300, 10, 10, 10), []Past{readAt(251, text("a=1 b=2"), 10, 10)}, Restart, false, 1},
		"a label was":                           {all, written(300, 10, 10, 10), []Past{readAt(251, text("a=1"), 10, 10)}, None, false, 1},
		"a key that they do not see":            {app("env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: a, optional: true}}}]"), written(300, 10, 10, 10), []Past{readAt(251, text("a=1 b=2"), 10, 10)}, None, false, 1},
		"files, which pods see go":              {mounts("configMap: {name: web, optional: true}", ""), written(300, 10, 10, 10), nil, None, false, 1},
		"made anew":                             {all, written(300, 30, 30, 30), nil, Restart, false, 1},
		"made anew as it was":                   {all, written(300, 30, 30, 30), []Past{readAt(251, text("a=1"), 10, 10)}, None, false, 1},
		"made anew as it was for one of two":    {all, written(300, 30, 30, 30), []Past{readAt(251, text("a=1"), 22, 22)}, Restart, false, 1},
		"made anew with less":                   {all, written(300, 30, 30, 30), []Past{readAt(251, text("a=1 b=2"), 10, 10)}, Restart, false, 1},
		"another revision than can be compared": {all, written(0, 10, 10, 10), nil, None, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := Workload{Kind: "Deployment", Name: "web", Spec: podSpec(t, test.spec), Rolls: true}
			runningSince(&w)
			c := &Change{Object: web, Old: text("a=1"), New: text("a=1"), Stale: true, Age: test.age}
			if reads := c.Recalls([]Workload{w}); len(reads) != test.reads || test.reads > 0 && reads[0] != 200 {
				t.Errorf("asks for %v", reads)
			}
			c.Past = test.past
			if got := c.Affected([]Workload{w})[0]; got.Verdict != test.want || got.Uncertain != test.unsure {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestMadeAfterItWasMissed judges a workload that was rolled out while the object was not there.
func TestMadeAfterItWasMissed(t *testing.T) {
	t.Parallel()
	web := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
	for name, test := range map[string]struct {
		created int
		want    Verdict
	}{
		"made in the second in which they started": {20, Restart},
		"made later":                       {30, Restart},
		"they were started anew by others": {15, None},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := Workload{
				Kind: "Deployment", Name: "web", Spec: podSpec(t, app("envFrom: [{configMapRef: {name: web, optional: true}}]")), Rolls: true,
				Annotations: map[string]string{configmap.RecordKey(web): configmap.Absent},
			}
			runningSince(&w)
			made := secondOf(test.created)
			c := &Change{Object: web, Old: text("a=1"), New: text("a=1"), Stale: true, Age: Age{Created: made, Changed: made, Written: made}}
			if got := c.Affected([]Workload{w})[0]; got.Verdict != test.want || got.Note != "" && test.want == Restart {
				t.Errorf("got %+v", got)
			}
		})
	}
}
