package preflight

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// bonds names further placement rules of the pods. With such rules, the nodes that take a pod depend on what runs where.
func bonds(in *Input) string {
	var all []string
	spec := template(in)
	if a := spec.Affinity; a != nil && a.PodAffinity != nil && len(a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution) > 0 {
		all = append(all, "pod affinity")
	}
	if len(antiAffinity(spec)) > 0 {
		all = append(all, "pod anti-affinity")
	}
	for i := range spec.TopologySpreadConstraints {
		if spec.TopologySpreadConstraints[i].WhenUnsatisfiable == corev1.DoNotSchedule {
			all = append(all, "topology spread")
			break
		}
	}
	if len(spec.ResourceClaims) > 0 {
		all = append(all, "resource claims")
	}
	return strings.Join(all, " and ")
}

// antiAffinity returns the rules about pods that the pods must not run beside.
func antiAffinity(spec *corev1.PodSpec) []corev1.PodAffinityTerm {
	if spec.Affinity == nil || spec.Affinity.PodAntiAffinity == nil {
		return nil
	}
	return spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
}

// apart reports whether no node takes two of the pods, of whichever version.
func apart(in *Input) bool {
	for _, term := range antiAffinity(template(in)) {
		others := len(term.Namespaces) > 0 || term.NamespaceSelector != nil
		ofOneVersion := len(term.MatchLabelKeys) > 0 || len(term.MismatchLabelKeys) > 0
		if term.TopologyKey == corev1.LabelHostname && !others && !ofOneVersion && matches(term.LabelSelector, in.Workload.Template.Labels) {
			return true
		}
	}
	return false
}

// bound judges pods with rules that only the scheduler can evaluate. Too few nodes are certain only if no two of the pods can
// share one.
func (f *fit) bound(in *Input, text, by string) Result {
	pods, surge := int(in.Workload.Replicas), int(in.Surge)
	lacks := pods + surge - f.large
	crowd := fmt.Sprintf("%s, and by their anti-affinity none takes two: %d pods and the surge of %d are %d too many", text, pods, surge, lacks)
	switch {
	case surge == 0:
		return ok(NodeRoom, "%s; a new pod takes the place of an old one; not looked at: %s", text, by)
	case lacks <= 0 || in.Nodes.More || in.Workload.Kind == DaemonSet || !apart(in):
		return skip(NodeRoom, fmt.Errorf("%s; which of them take another pod by %s is known to the scheduler alone", text, by))
	case in.Unavailable == 0 && f.large <= pods:
		return warn(NodeRoom, "%s; with max-unavailable 0 no pod can be replaced before a node is added; %s", crowd, oldFirst)
	}
	return warn(NodeRoom, "%s; the rollout is slower, unless a node is added; %s", crowd, oldFirst)
}
