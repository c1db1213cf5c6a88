package store

import (
	"slices"
	"testing"

	"k8s.io/client-go/kubernetes/fake"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/rights"
)

// TestTheRoleSufficesToSweep looks for every right of a sweep in the Role for changing configuration.
func TestTheRoleSufficesToSweep(t *testing.T) {
	t.Parallel()
	roles := rights.Roles()
	at := slices.IndexFunc(roles, func(r rights.Role) bool { return r.Name == "changing-configuration" })
	s := &Session{Versions: &Versions{Reader: &Reader{Client: fake.NewClientset()}}}
	for _, right := range s.SweepRights([]configmap.Kind{configmap.ConfigMap}) {
		if !slices.ContainsFunc(roles[at].Rules, func(r rights.Rule) bool { return grants(&r, &right) }) {
			t.Errorf("the Role does not grant %s", right)
		}
	}
}

func grants(rule *rights.Rule, right *preflight.Right) bool {
	return rule.Group == right.Group && slices.Contains(rule.Resources, right.Resource) && slices.Contains(rule.Verbs, right.Verb)
}
