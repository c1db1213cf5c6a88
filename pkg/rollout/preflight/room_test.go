package preflight

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// taken is a node on which a pod takes something, and a port.
func taken(name, cpu string) *Taken {
	t := &Taken{}
	t.Add(&corev1.Pod{Spec: corev1.PodSpec{NodeName: name, Containers: []corev1.Container{{
		Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse(cpu)}},
		Ports:     []corev1.ContainerPort{{ContainerPort: 80, HostPort: 80, Protocol: corev1.ProtocolTCP}},
	}}}})
	return t
}

func TestRoomOnNodes(t *testing.T) {
	t.Parallel()
	cpu := func(in *Input, quantity string) { app(in).Resources.Requests["cpu"] = resource.MustParse(quantity) }
	taint := func(in *Input, effect corev1.TaintEffect) {
		in.Nodes.Items[0].Spec.Taints = []corev1.Taint{{Key: "for", Value: "others", Effect: effect}}
	}
	for name, test := range map[string]struct {
		change func(*Input)
		want   Status
		tells  string
	}{
		"what runs there is not known": {func(*Input) {}, OK, "1 of 1 nodes suit the pods and are large enough for one; what runs on them already is not counted"},
		"nor may it be":                {func(in *Input) { in.Taken = &Taken{Err: errors.New("denied")} }, OK, "not counted: denied"},
		"room":                         {func(in *Input) { in.Taken = taken("a", "1") }, OK, "there is room for the surge of 1"},
		"no room":                      {func(in *Input) { in.Taken = taken("a", "1500m") }, Warn, "there is room for 0 more, with a surge of 1: the rollout is slower"},
		"no room and no other way":     {func(in *Input) { in.Taken, in.Unavailable = taken("a", "1500m"), 0 }, Warn, "no pod can be replaced before a node is added"},
		"room for some":                {func(in *Input) { in.Taken, in.Surge = taken("b", "1"), 3 }, Warn, "room for 2 more, with a surge of 3"},
		"on several nodes": {func(in *Input) {
			in.Nodes.Items, in.Taken, in.Surge = append(in.Nodes.Items, node("b", "2")), taken("a", "1"), 3
		}, OK, "2 of 2 nodes suit"},
		"apart by node": {func(in *Input) { apartBy(in, corev1.LabelHostname) }, Warn, "none takes two: 4 pods and the surge of 1 are 4 too many; the rollout is slower"},
		"apart, and no other way": {func(in *Input) {
			apartBy(in, corev1.LabelHostname)
			in.Unavailable = 0
		}, Warn, "4 too many; with max-unavailable 0 no pod can be replaced"},
		"apart, and one more node": {func(in *Input) {
			apartBy(in, corev1.LabelHostname)
			in.Nodes.Items = append(in.Nodes.Items, node("b", "2"))
			in.Workload.Replicas, in.Surge, in.Unavailable = 1, 2, 0
		}, Warn, "1 pods and the surge of 2 are 1 too many; the rollout is slower"},
		"apart, and enough nodes": {func(in *Input) {
			apartBy(in, corev1.LabelHostname)
			in.Nodes.Items, in.Workload.Replicas = append(in.Nodes.Items, node("b", "2")), 1
		}, Skip, "2 of 2 nodes suit the pods and are large enough for one; which of them take another pod by pod anti-affinity is known to the scheduler alone"},
		"apart, and not all nodes": {func(in *Input) { apartBy(in, corev1.LabelHostname); in.Nodes.More = true }, Skip, "known to the scheduler alone"},
		"apart from others": {func(in *Input) {
			apartBy(in, corev1.LabelHostname)
			term(in).LabelSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "db"}}
		}, Skip, "known to the scheduler alone"},
		"apart from another namespace": {func(in *Input) { apartBy(in, corev1.LabelHostname); term(in).Namespaces = []string{"other"} }, Skip, "known to the scheduler alone"},
		"apart from their own version": {func(in *Input) {
			apartBy(in, corev1.LabelHostname)
			term(in).MatchLabelKeys = []string{"pod-template-hash"}
		}, Skip, "known to the scheduler alone"},
		"apart by zone":         {func(in *Input) { apartBy(in, "zone") }, Skip, "pod anti-affinity"},
		"apart without a surge": {func(in *Input) { apartBy(in, corev1.LabelHostname); in.Surge = 0 }, OK, "takes the place of an old one; not looked at: pod anti-affinity"},
		"apart if it can be": {func(in *Input) {
			in.Workload.Template.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
				PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{}},
			}}
		}, OK, "1 of 1 nodes suit"},
		"together": {func(in *Input) {
			in.Workload.Template.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{}},
			}}
		}, Skip, "by pod affinity"},
		"spread":            {func(in *Input) { spreadBy(in, corev1.DoNotSchedule) }, Skip, "by topology spread"},
		"spread if can be":  {func(in *Input) { spreadBy(in, corev1.ScheduleAnyway) }, OK, "1 of 1 nodes suit"},
		"too small, spread": {func(in *Input) { spreadBy(in, corev1.DoNotSchedule); cpu(in, "3") }, Warn, "none of 1 nodes"},
		"devices": {func(in *Input) {
			in.Workload.Template.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu"}}
			spreadBy(in, corev1.DoNotSchedule)
		}, Skip, "by topology spread and resource claims"},
		"no surge": {func(in *Input) { in.Taken, in.Surge = taken("a", "2"), 0 }, OK, "takes the place of an old one"},
		"too small": {
			func(in *Input) { cpu(in, "3") }, Warn,
			"none of 1 nodes can take a pod, unless one is added: 0 are not ready or not of those that it wants and tolerates, 1 are too small",
		},
		"too small so far":   {func(in *Input) { cpu(in, "3"); in.Nodes.More = true }, Skip, "none of the first 1 nodes"},
		"full so far":        {func(in *Input) { in.Taken, in.Nodes.More = taken("a", "2"), true }, Skip, "the others were not looked at"},
		"not all counted":    {func(in *Input) { in.Taken = taken("a", "1"); in.Taken.More = true }, OK, "only the first 1 pods are counted"},
		"no such resource":   {func(in *Input) { app(in).Resources.Requests["example.com/gpu"] = resource.MustParse("1") }, Warn, "1 are too small"},
		"no request":         {func(in *Input) { app(in).Resources = corev1.ResourceRequirements{}; in.Taken = taken("a", "2") }, OK, "room for the surge"},
		"by selector":        {func(in *Input) { in.Workload.Template.Spec.NodeSelector = map[string]string{"zone": "b"} }, Warn, "1 are not ready or not of those"},
		"by affinity":        {func(in *Input) { in.Workload.Template.Spec.Affinity = wants("zone", "b") }, Warn, "none of 1 nodes"},
		"as affinity has it": {func(in *Input) { in.Workload.Template.Spec.Affinity = wants("zone", "a") }, OK, "1 of 1 nodes"},
		"tainted":            {func(in *Input) { taint(in, corev1.TaintEffectNoSchedule) }, Warn, "none of 1 nodes"},
		"not preferred":      {func(in *Input) { taint(in, corev1.TaintEffectPreferNoSchedule) }, OK, "1 of 1 nodes"},
		"tolerated": {func(in *Input) {
			taint(in, corev1.TaintEffectNoExecute)
			in.Workload.Template.Spec.Tolerations = []corev1.Toleration{{Key: "for", Operator: corev1.TolerationOpExists}}
		}, OK, "1 of 1 nodes"},
		"cordoned": {func(in *Input) { in.Nodes.Items[0].Spec.Unschedulable = true }, Warn, "none of 1 nodes"},
		"down": {func(in *Input) {
			in.Nodes.Items[0].Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionFalse}}
		}, Warn, "none of 1 nodes"},
		"no slot": {func(in *Input) {
			in.Nodes.Items[0].Status.Allocatable["pods"] = resource.MustParse("1")
			in.Taken = taken("a", "0")
		}, Warn, "room for 0 more"},
		"a port of the node": {func(in *Input) {
			app(in).Ports = []corev1.ContainerPort{{HostPort: 80, Protocol: corev1.ProtocolTCP}}
			in.Taken = taken("a", "0")
		}, Warn, "by host port TCP/80 none takes two: 4 pods and the surge of 1 are 4 too many"},
		"a port once": {func(in *Input) {
			app(in).Ports = []corev1.ContainerPort{{HostPort: 81, Protocol: corev1.ProtocolTCP}}
			in.Taken, in.Surge = taken("a", "0"), 2
		}, Warn, "the surge of 2 are 5 too many"},
	} {
		in := sound()
		test.change(in)
		if got := nodeRoom(in); got.Status != test.want || !strings.Contains(got.Message, test.tells) {
			t.Errorf("%s: %s %s", name, got.Status, got.Message)
		}
	}
}

// apartBy lets no two of the pods run in one place.
func apartBy(in *Input, key string) {
	in.Workload.Template.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{LabelSelector: in.Workload.Selector, TopologyKey: key}},
	}}
}

func term(in *Input) *corev1.PodAffinityTerm {
	return &in.Workload.Template.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0]
}

func spreadBy(in *Input, otherwise corev1.UnsatisfiableConstraintAction) {
	in.Workload.Template.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{WhenUnsatisfiable: otherwise}}
}

func wants(key, value string) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
			{Key: key, Operator: corev1.NodeSelectorOpIn, Values: []string{value}},
		}}},
	}}}
}
