package main

import (
	"fmt"
	"strings"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/rights"
)

// role returns the manifest of a Role with the rules of a use.
func role(name string) (string, error) {
	for _, r := range rights.Roles() {
		if r.Name == name {
			return "```yaml\n" + manifest(&r) + "```", nil
		}
	}
	return "", fmt.Errorf("no use has the name %s", name)
}

func manifest(r *rights.Role) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: %s\nrules:\n", r.Name)
	for i := range r.Rules {
		rule := &r.Rules[i]
		if rule.Note != "" {
			fmt.Fprintf(&b, "# %s\n", rule.Note)
		}
		group := rule.Group
		if group == "" {
			group = `""`
		}
		fmt.Fprintf(&b, "- apiGroups: [%s]\n  resources: [%s]\n  verbs: [%s]\n",
			group, strings.Join(rule.Resources, ", "), strings.Join(rule.Verbs, ", "))
	}
	return b.String()
}
