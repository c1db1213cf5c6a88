package preflight

import (
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// Taken counts what runs on nodes.
type Taken struct {
	nodes map[string]*usage
	// Pods is the number of counted pods. More says that there are others.
	Pods int
	More bool
	// Err is why no pods were counted.
	Err error
}

// usage is what the pods of one node take up.
type usage struct {
	requests corev1.ResourceList
	pods     int
	ports    map[string]bool
}

// Add counts a pod that is assigned to a node.
func (t *Taken) Add(pod *corev1.Pod) {
	if t.nodes == nil {
		t.nodes = map[string]*usage{}
	}
	u := t.nodes[pod.Spec.NodeName]
	if u == nil {
		u = &usage{requests: corev1.ResourceList{}, ports: map[string]bool{}}
		t.nodes[pod.Spec.NodeName] = u
	}
	t.Pods++
	u.pods++
	for name, quantity := range requests(pod) {
		sum := u.requests[name]
		sum.Add(quantity)
		u.requests[name] = sum
	}
	for _, port := range hostPorts(pod) {
		u.ports[port] = true
	}
}

// hostPorts returns the host ports that a pod takes.
func hostPorts(pod *corev1.Pod) []string {
	var ports []string
	for _, c := range containers(&pod.Spec) {
		for _, port := range c.Ports {
			if port.HostPort > 0 {
				ports = append(ports, fmt.Sprintf("%s/%d", port.Protocol, port.HostPort))
			}
		}
	}
	return ports
}

// nodeRoom looks for nodes that suit the pods, are large enough for one, and have room for the surge. It never fails, since a
// node may still be added.
func nodeRoom(in *Input) Result {
	if in.Nodes.Err != nil {
		return skip(NodeRoom, in.Nodes.Err)
	}
	if node := template(in).NodeName; node != "" {
		return named(in, node)
	}
	f := newFit(in)
	for i := range in.Nodes.Items {
		f.look(&in.Nodes.Items[i])
	}
	switch {
	case f.large == 0 && in.Nodes.More:
		return skip(NodeRoom, fmt.Errorf("none of the first %d nodes can take a pod, and the others were not looked at", f.all))
	case f.large == 0:
		why := fmt.Sprintf("%d are not ready or not of those that it wants and tolerates, %d are too small%s", f.all-f.suited, f.suited, f.cordonedText())
		return warn(NodeRoom, "none of %d nodes can take a pod, unless one is added: %s", f.all, why)
	case in.Workload.Kind == DaemonSet && f.large < f.suited:
		return warn(NodeRoom, "%d of the %d nodes that are to run a pod are too small for it", f.suited-f.large, f.suited)
	}
	text := fmt.Sprintf("%d of %d nodes suit the pods and are large enough for one%s", f.large, f.all, f.cordonedText())
	return f.surgeRoom(in, text)
}

// surgeRoom judges whether new pods find a place beside old ones.
func (f *fit) surgeRoom(in *Input, text string) Result {
	if found, is := f.beside(in, text); is {
		return found
	}
	if by := bonds(in); by != "" {
		return f.bound(in, text, by)
	}
	switch {
	case in.Surge == 0:
		return ok(NodeRoom, "%s; a new pod takes the place of an old one", text)
	case in.Taken == nil:
		return ok(NodeRoom, "%s; what runs on them already is not counted", text)
	case in.Taken.Err != nil:
		return ok(NodeRoom, "%s; what runs on them already is not counted: %v", text, in.Taken.Err)
	}
	return f.judge(in, text)
}

// judge compares the remaining room with what the surge takes. It says so if not all nodes or pods were read.
func (f *fit) judge(in *Input, text string) Result {
	if in.Taken.More {
		text += fmt.Sprintf("; only the first %d pods are counted", in.Taken.Pods)
	}
	switch {
	case in.Workload.Kind == DaemonSet && f.full > 0:
		return warn(NodeRoom, "%d of %d nodes have no room for a new pod beside the old one, unless others go", f.full, f.large)
	case in.Workload.Kind == DaemonSet:
		return ok(NodeRoom, "%s, beside the old one too", text)
	case f.room >= int(in.Surge):
		return ok(NodeRoom, "%s, and there is room for the surge of %d", text, in.Surge)
	case in.Nodes.More:
		return skip(NodeRoom, errors.New(text+"; the others were not looked at"))
	case in.Unavailable == 0 && f.room == 0:
		return warn(NodeRoom, "%s, and none has room for one more: with max-unavailable 0 no pod can be replaced before a node is added or others go", text)
	}
	return warn(NodeRoom, "%s, and there is room for %d more, with a surge of %d: the rollout is slower, unless a node is added", text, f.room, in.Surge)
}

// fit counts the nodes that can take a pod.
type fit struct {
	in          *Input
	needs       corev1.ResourceList
	ports       []string
	affinity    nodeaffinity.RequiredNodeAffinity
	tolerations []corev1.Toleration

	// suited counts the nodes that the scheduler would consider. Of these, large counts the nodes that could hold a pod if they
	// were empty. Of those, full counts the nodes without room for one more. room is the number of further pods that fit, up to
	// the surge.
	all, suited, large, full, room int
	// cordoned are the names of the nodes that would suit if they were not cordoned.
	cordoned []string
}

func newFit(in *Input) *fit {
	pod := podOf(in, &in.Workload)
	f := &fit{
		in: in, needs: requests(pod), ports: hostPorts(pod), affinity: nodeaffinity.GetRequiredNodeAffinity(pod), tolerations: pod.Spec.Tolerations,
	}
	if in.Workload.Kind == DaemonSet {
		f.tolerations = append(f.tolerations, daemonTolerations(pod)...)
	}
	return f
}

// daemonTolerations returns the tolerations that the DaemonSet controller gives its pods (AddOrUpdateDaemonPodTolerations in
// its daemonset_util). With them the pods stay on a node that is down, where no new pod is created.
func daemonTolerations(pod *corev1.Pod) []corev1.Toleration {
	tolerations := []corev1.Toleration{
		{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoExecute},
		{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute},
		{Key: corev1.TaintNodeDiskPressure, Effect: corev1.TaintEffectNoSchedule},
		{Key: corev1.TaintNodeMemoryPressure, Effect: corev1.TaintEffectNoSchedule},
		{Key: corev1.TaintNodePIDPressure, Effect: corev1.TaintEffectNoSchedule},
		{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule},
	}
	if pod.Spec.HostNetwork {
		tolerations = append(tolerations, corev1.Toleration{Key: corev1.TaintNodeNetworkUnavailable, Effect: corev1.TaintEffectNoSchedule})
	}
	for i := range tolerations {
		tolerations[i].Operator = corev1.TolerationOpExists
	}
	return tolerations
}

func (f *fit) look(node *corev1.Node) {
	f.all++
	if !f.suits(node) {
		if f.isCordoned(node) {
			f.cordoned = append(f.cordoned, node.Name)
		}
		return
	}
	f.suited++
	if f.holds(node, &usage{}, 1) == 0 {
		return
	}
	f.large++
	taken := &usage{}
	if f.in.Taken != nil && f.in.Taken.nodes[node.Name] != nil {
		taken = f.in.Taken.nodes[node.Name]
	}
	surge := int(f.in.Surge)
	room := f.holds(node, taken, max(surge-f.room, 1))
	if room == 0 {
		f.full++
	}
	f.room = min(f.room+room, surge)
}

// suits reports whether the scheduler would consider a node at all: the node is up, and the pods want and tolerate it.
func (f *fit) suits(node *corev1.Node) bool {
	if match, err := f.affinity.Match(node); err != nil || !match {
		return false
	}
	taints := node.Spec.Taints
	if node.Spec.Unschedulable {
		taints = append(taints[:len(taints):len(taints)], corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule})
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue {
			taints = append(taints[:len(taints):len(taints)], corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule})
		}
	}
	_, repelled := schedulingv1.FindMatchingUntoleratedTaint(logr.Discard(), taints, f.tolerations, func(taint *corev1.Taint) bool {
		return taint.Effect != corev1.TaintEffectPreferNoSchedule
	}, true)
	return !repelled
}

// holds returns how many pods fit on a node beside what is taken, up to a maximum.
func (f *fit) holds(node *corev1.Node, taken *usage, most int) int {
	for _, port := range f.ports {
		if taken.ports[port] {
			return 0
		}
	}
	if len(f.ports) > 0 {
		most = min(most, 1)
	}
	if slots, bounded := node.Status.Allocatable[corev1.ResourcePods]; bounded {
		most = min(most, max(int(slots.Value())-taken.pods, 0))
	}
	for name, needs := range f.needs {
		left := node.Status.Allocatable[name].DeepCopy()
		left.Sub(taken.requests[name])
		count := 0
		for count < most && left.Cmp(needs) >= 0 {
			left.Sub(needs)
			count++
		}
		most = count
	}
	return most
}
