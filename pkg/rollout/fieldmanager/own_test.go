package fieldmanager

import (
	"strings"
	"testing"
)

func TestOwn(t *testing.T) {
	t.Parallel()
	if strings.HasPrefix(Default, "kubectl") {
		t.Errorf("Flux takes over the fields of %q", Default)
	}
	for _, c := range []struct {
		manager, name string
		want          bool
	}{
		{Default, Default, true},
		{"kubectl-rollout-plus", Default, true},
		{Default, "kubectl-rollout-plus", true},
		{"ci", "ci", true},
		{"kubectl-rollout-plus", "ci", false},
		{Default, "ci", false},
		{"kubectl", Default, false},
	} {
		if got := IsOwn(c.manager, c.name); got != c.want {
			t.Errorf("IsOwn(%q, %q) = %v", c.manager, c.name, got)
		}
	}
}
