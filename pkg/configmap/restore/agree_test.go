package restore

import (
	"strings"
	"testing"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

// back is a workload that goes back to a version of configmap/web, and gives it that or not.
func back(name, version string, gives bool) *Going {
	web := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
	return &Going{
		name: name, gives: map[configmap.Object]bool{web: gives},
		versions: map[configmap.Object]configmap.Object{web: {Kind: configmap.ConfigMap, Name: version}},
	}
}

func TestDisagrees(t *testing.T) {
	t.Parallel()
	advice := Advice{Shared: "--shared-config changes it all the same, --keep-config leaves it"}
	for name, c := range map[string]struct {
		a, b   *Going
		shared bool
		want   string // what the error has in it, empty where there is none
	}{
		"the same":                   {back("a", "web-1", true), back("b", "web-1", true), false, ""},
		"the same, for one of them":  {back("a", "web-1", true), back("b", "web-1", false), false, ""},
		"others, and none gives any": {back("a", "web-1", false), back("b", "web-2", false), false, ""},
		"two contents":               {back("a", "web-1", true), back("b", "web-2", true), false, "configmap/web can hold but one of what a goes back to (web-1) and what b goes back to (web-2)"},
		"two contents, shared":       {back("a", "web-1", true), back("b", "web-2", true), true, "can hold but one"},
		"one goes on with its own":   {back("a", "web-1", true), back("b", "web-2", false), false, "going back with a would give configmap/web what web-1 holds, and b, which goes back too, runs with web-2 then; --shared-config"},
		"the other way round":        {back("a", "web-1", false), back("b", "web-2", true), false, "going back with b would give configmap/web what web-2 holds, and a, which"},
		"one goes on, shared":        {back("a", "web-1", true), back("b", "web-2", false), true, ""},
		"one has the plain name":     {back("a", "web-1", true), back("b", "web", false), false, "runs with web then"},
		"one uses it no more":        {back("a", "web-1", true), &Going{name: "b"}, false, ""},
	} {
		err := c.a.disagrees(c.b, c.shared, advice)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What an open rollout remembers is what going back from it gives the object.
func TestGoingBackFromAnOpenRollout(t *testing.T) {
	t.Parallel()
	open := NewGoing("a")
	open.FromNote(nil)
	if len(open.versions) > 0 {
		t.Errorf("without a change of configuration: %v", open.versions)
	}
	open.FromNote(&store.Note{Kind: configmap.ConfigMap, Name: "web", Before: "web-1", After: "web-2"})
	if err := open.disagrees(back("b", "web-1", true), false, Advice{}); err != nil {
		t.Error(err)
	}
	if err := open.disagrees(back("b", "web-3", true), true, Advice{}); err == nil || !strings.Contains(err.Error(), "what a goes back to (web-1)") {
		t.Errorf("%v", err)
	}
}
