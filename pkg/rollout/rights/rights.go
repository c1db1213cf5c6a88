// Package rights lists the rights that each use of the plugin takes. Checks ask for them, and docs/rights.md is generated
// from them. It is pure.
package rights

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

// The resources of the workloads.
const (
	Deployments  = "deployments"
	StatefulSets = "statefulsets"
	DaemonSets   = "daemonsets"
)

const (
	apps        = appsv1.GroupName
	batch       = batchv1.GroupName
	policy      = policyv1.GroupName
	autoscaling = autoscalingv2.GroupName
)

// asked says which check asks for a right.
type asked int

const (
	// never means that no check asks for the right: the work itself shows whether it is missing.
	never asked = iota
	// reported means that the checks report a missing right, but the work goes on without it.
	reported
	// needed means that the checks refuse to begin without the right.
	needed
	// toStep means that the rollout of a StatefulSet or DaemonSet in steps does not begin without the right.
	toStep
)

// Rule grants verbs on resources of one API group.
type Rule struct {
	Group     string
	Resources []string
	Verbs     []string
	// Note says what the rule is for, or is empty if that is plain.
	Note  string
	asked asked
}

// Role is one use of the plugin with all rules that it takes in its namespace.
type Role struct {
	// Name is the name of the Role in docs/rights.md.
	Name  string
	Rules []Rule
}

// rule returns a rule of one resource.
func rule(group, resource string, asked asked, note string, verbs ...string) Rule {
	return Rule{Group: group, Resources: []string{resource}, Verbs: verbs, Note: note, asked: asked}
}

// rollOut returns the rules for a rollout of a workload with this resource, in the order in which checks ask for them.
func rollOut(resource string) []Rule {
	const (
		removes = "patch to remove copied annotations, to mark what failed, and to have its controller try again"
		logs    = "optional: the last log lines of a failed container"
		events  = "optional: causes that only events show, as of volumes and probes"
		claims  = "optional: tells a pod whose volume is being provided from a pod that no scheduler looks at"
		wave    = "delete replaces the pods of a step"
		inVain  = "delete removes pods that the StatefulSet would wait for in vain"
	)
	follow := reported // commands for StatefulSets and DaemonSets watch only in steps and with --wait
	if resource == Deployments {
		follow = needed
	}
	rules := []Rule{
		rule(apps, resource, needed, "", "get"),
		rule(apps, resource, follow, "", "list", "watch"),
		rule(apps, resource, needed, "", "patch"),
	}
	if resource == Deployments {
		rules = append(rules, rule(apps, "replicasets", needed, removes, "get", "list", "watch"), rule(apps, "replicasets", reported, removes, "patch"))
	} else {
		rules = append(rules, rule(apps, "controllerrevisions", needed, "", "list"), rule(apps, "controllerrevisions", toStep, "", "get"),
			rule(apps, "controllerrevisions", never, "", "patch"))
	}
	rules = append(rules, rule("", "pods", follow, "", "list", "watch"))
	switch resource {
	case StatefulSets:
		rules = append(rules, rule("", "pods", reported, inVain, "delete"))
	case DaemonSets:
		rules = append(rules, rule("", "pods", toStep, wave, "delete"))
	}
	return append(rules, rule("", "pods/log", reported, logs, "get"), rule("", "events", reported, events, "list"),
		rule("", "persistentvolumeclaims", never, claims, "get"))
}

// OfRollout returns the rights that the checks before a rollout ask for. They are those of start for a Deployment, and those of
// restart and undo for other kinds.
func OfRollout(resource, name string) []preflight.Right {
	return expand(rollOut(resource), resource, name, reported, needed)
}

// OfSteps returns the rights without which a workload could not be rolled out in steps, and which OfRollout leaves out. A
// DaemonSet's pods are replaced by deleting them. The way back needs the ControllerRevisions.
func OfSteps(resource string) []preflight.Right { return expand(rollOut(resource), "", "", toStep) }

// expand returns the rights that some rules grant. Rights on the given resource are for the object with the given name.
func expand(rules []Rule, resource, name string, by ...asked) []preflight.Right {
	var all []preflight.Right
	for _, r := range rules {
		for _, asked := range by {
			if r.asked != asked {
				continue
			}
			for _, verb := range r.Verbs {
				right := preflight.Right{Verb: verb, Group: r.Group, Resource: r.Resources[0], Needed: r.asked == needed}
				if right.Resource == resource {
					right.Name = name // only this one workload is listed and watched
				}
				all = append(all, right)
			}
		}
	}
	return all
}
