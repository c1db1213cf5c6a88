package rights

import "slices"

// Roles returns a Role for each use of the plugin.
func Roles() []Role {
	return []Role{
		{"looking", looking()},
		{"rolling-out", merged(rollOut(Deployments))},
		{"rolling-out-statefulsets", merged(rollOut(StatefulSets))},
		{"rolling-out-daemonsets", merged(rollOut(DaemonSets))},
		{"checking", checking()},
		{"changing-configuration", changing()},
		{"finding-users", finding()},
		{"as-kubectl", asKubectl()},
		{"creating", creating()},
	}
}

// merged joins rules of the same resource into one rule.
func merged(rules []Rule) []Rule {
	var all []Rule
	for _, r := range rules {
		at := slices.IndexFunc(all, func(o Rule) bool { return o.Group == r.Group && slices.Equal(o.Resources, r.Resources) })
		if at < 0 {
			all = append(all, r)
			continue
		}
		all[at].Verbs = append(slices.Clone(all[at].Verbs), r.Verbs...)
		if all[at].Note == "" {
			all[at].Note = r.Note
		}
	}
	return all
}

func workloads() []string { return []string{Deployments, StatefulSets, DaemonSets} }

func seen() []string { return []string{"get", "list", "watch"} }

// looking is for status, explain, history and diff.
func looking() []Rule {
	return []Rule{
		{Group: apps, Resources: workloads(), Verbs: seen()},
		{Group: apps, Resources: []string{"replicasets", "controllerrevisions"}, Verbs: seen()},
		{Resources: []string{"pods"}, Verbs: seen()},
		{Resources: []string{"pods/log"}, Verbs: []string{"get"}},
		{Resources: []string{"events"}, Verbs: []string{"list"}},
		{Resources: []string{"persistentvolumeclaims"}, Verbs: []string{"get"}},
	}
}

// checking is what the checks read besides what a rollout needs. Without one of these rights a check is skipped.
func checking() []Rule {
	return []Rule{
		{Group: apps, Resources: []string{StatefulSets, DaemonSets}, Verbs: []string{"list"}},
		{Resources: []string{"resourcequotas", "limitranges", "services"}, Verbs: []string{"list"}},
		{Group: policy, Resources: []string{"poddisruptionbudgets"}, Verbs: []string{"list"}},
		{Group: autoscaling, Resources: []string{"horizontalpodautoscalers"}, Verbs: []string{"list"}},
		{Resources: []string{"configmaps", "secrets", "serviceaccounts"}, Verbs: []string{"get"}, Note: "of Secrets only the metadata is read"},
	}
}

// changing is for the commands that change ConfigMaps and Secrets and roll out their users.
func changing() []Rule {
	return []Rule{
		{Group: apps, Resources: workloads(), Verbs: append(seen(), "patch")},
		{Group: apps, Resources: []string{"replicasets"}, Verbs: append(seen(), "patch")},
		{Group: apps, Resources: []string{"controllerrevisions"}, Verbs: []string{"get", "list"}},
		{Group: batch, Resources: []string{"cronjobs", "jobs"}, Verbs: []string{"list"}},
		{Resources: []string{"replicationcontrollers"}, Verbs: []string{"list"}},
		{
			Resources: []string{"pods"}, Verbs: []string{"list", "watch", "delete"},
			Note: "delete for DaemonSets, and for pods that a StatefulSet waits for in vain",
		},
		{Resources: []string{"pods/log"}, Verbs: []string{"get"}, Note: "optional: the last log lines of a failed container"},
		{Resources: []string{"events"}, Verbs: []string{"list"}, Note: "optional: causes that only events show"},
		{
			Resources: []string{"configmaps"}, Verbs: append(seen(), "create", "patch", "delete"),
			Note: "secrets for Secrets; watch is for config watch",
		},
	}
}

// finding is for config affected.
func finding() []Rule {
	return []Rule{
		{Resources: []string{"configmaps"}, Verbs: []string{"get"}, Note: "secrets for Secrets"},
		{Group: apps, Resources: append(workloads(), "replicasets"), Verbs: []string{"list"}},
		{Group: batch, Resources: []string{"cronjobs", "jobs"}, Verbs: []string{"list"}},
		{Resources: []string{"replicationcontrollers", "pods"}, Verbs: []string{"list"}},
	}
}

// asKubectl is for restart, undo, pause and resume as kubectl has them.
func asKubectl() []Rule {
	return []Rule{
		{Group: apps, Resources: workloads(), Verbs: []string{"get", "patch"}},
		{Group: apps, Resources: []string{"replicasets", "controllerrevisions"}, Verbs: []string{"list"}},
	}
}

// creating is for create. Only --wait needs more than the right to create.
func creating() []Rule {
	const waits = "get, list and watch are for --wait"
	return []Rule{
		{Group: apps, Resources: []string{Deployments}, Verbs: append([]string{"create"}, seen()...), Note: waits},
		{Group: apps, Resources: []string{"replicasets"}, Verbs: []string{"list", "watch"}, Note: "for --wait"},
		{Resources: []string{"pods"}, Verbs: []string{"list", "watch"}, Note: "for --wait"},
		{Resources: []string{"services", "configmaps"}, Verbs: []string{"create"}},
	}
}
