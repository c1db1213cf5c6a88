package preflight

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// oldFirst names the flags with which no new pod needs a place beside an old one.
const oldFirst = "--max-surge 0 --max-unavailable 1 lets each old pod go before the new one comes"

// onePodClaims returns the pods' claims that only one pod may use at a time.
func onePodClaims(in *Input) []string {
	var names []string
	for i := range in.References.Items {
		if r := &in.References.Items[i]; r.OnePod {
			names = append(names, r.Name)
		}
	}
	return names
}

// beside judges what keeps a new pod from running beside an old one, however much room there is. It reports false if nothing
// does.
func (f *fit) beside(in *Input, text string) (Result, bool) {
	if in.Surge == 0 || in.Workload.Kind != Deployment {
		return Result{}, false
	}
	if claims := onePodClaims(in); len(claims) > 0 {
		why := fmt.Sprintf("%s, and no two pods use claim %s at a time (ReadWriteOncePod)", text, strings.Join(claims, ", "))
		return f.stuckBeside(in, why, true), true
	}
	lacks := int(in.Workload.Replicas+in.Surge) - f.large
	if len(f.ports) == 0 || lacks <= 0 || in.Nodes.More {
		return Result{}, false
	}
	why := fmt.Sprintf("%s, and by host port %s none takes two: %d pods and the surge of %d are %d too many",
		text, strings.Join(f.ports, ", "), in.Workload.Replicas, in.Surge, lacks)
	return f.stuckBeside(in, why, f.large <= int(in.Workload.Replicas)), true
}

// stuckBeside describes the effect of new pods waiting for old ones to go. all says that every new pod has to wait.
func (f *fit) stuckBeside(in *Input, why string, all bool) Result {
	if in.Unavailable == 0 && all {
		return warn(NodeRoom, "%s; with max-unavailable 0 no pod can be replaced; %s", why, oldFirst)
	}
	return warn(NodeRoom, "%s; the rollout is slower; %s", why, oldFirst)
}

// named judges pods whose template names their node. No scheduler places them, and the kubelet refuses those that do not fit,
// again and again.
func named(in *Input, name string) Result {
	text := fmt.Sprintf("all pods go to node %s, which the template names", name)
	for i := range in.Nodes.Items {
		if in.Nodes.Items[i].Name == name {
			return onNamed(in, &in.Nodes.Items[i], text)
		}
	}
	if in.Nodes.More {
		return skip(NodeRoom, fmt.Errorf("%s; it is not among the first %d", text, len(in.Nodes.Items)))
	}
	return fail(NodeRoom, "there is no node %s, which the template names", name)
}

func onNamed(in *Input, node *corev1.Node, text string) Result {
	old, surge := int(in.Workload.Replicas), int(in.Surge)
	if in.Workload.Kind == DaemonSet {
		old, surge = 1, 0
	}
	switch holds := newFit(in).holds(node, &usage{}, old+surge); {
	case holds == 0:
		return fail(NodeRoom, "%s, and it is too small for one: it would refuse every pod", text)
	case holds < old:
		return fail(NodeRoom, "%s, and it is too small for %d of them: it would refuse pods without end", text, old)
	case holds < old+surge:
		return warn(NodeRoom, "%s, and it is too small for %d and the surge of %d: it would refuse new pods; %s", text, old, surge, oldFirst)
	case node.Spec.Unschedulable:
		return warn(NodeRoom, "%s, and it is cordoned: pods go there all the same", text)
	}
	return ok(NodeRoom, "%s, and it is large enough for them", text)
}

// cordonedText says which suitable nodes are cordoned. It returns "" if none is.
func (f *fit) cordonedText() string {
	switch n := len(f.cordoned); n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(", 1 is cordoned (%s)", f.cordoned[0])
	default:
		return fmt.Sprintf(", %d are cordoned (%s)", n, strings.Join(f.cordoned[:min(n, noMoreThanListed)], ", "))
	}
}

// isCordoned reports whether a node is unsuitable only because it is cordoned.
func (f *fit) isCordoned(node *corev1.Node) bool {
	if !node.Spec.Unschedulable {
		return false
	}
	open := node.DeepCopy()
	open.Spec.Unschedulable = false
	for i := len(open.Spec.Taints) - 1; i >= 0; i-- {
		if open.Spec.Taints[i].Key == corev1.TaintNodeUnschedulable {
			open.Spec.Taints = append(open.Spec.Taints[:i], open.Spec.Taints[i+1:]...)
		}
	}
	return f.suits(open)
}
