package preflight

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// What new pods cannot share with old ones is foreseen, with the flags that let the old ones go first.
func TestNewPodsBesideOldOnes(t *testing.T) {
	t.Parallel()
	claim := func(in *Input) {
		in.References.Items = []Reference{{Kind: "PersistentVolumeClaim", Name: "data", OnePod: true}}
		in.Workload.Replicas = 1
	}
	port := func(in *Input) {
		app(in).Ports = []corev1.ContainerPort{{HostPort: 80, Protocol: corev1.ProtocolTCP}}
		in.Workload.Replicas, in.Unavailable = 1, 0
	}
	onNode := func(in *Input, name, cpu string) {
		in.Workload.Template.Spec.NodeName, in.Workload.Replicas = name, 1
		app(in).Resources.Requests["cpu"] = resource.MustParse(cpu)
	}
	for name, test := range map[string]struct {
		change func(*Input)
		want   Status
		tells  string
	}{
		"a claim of one pod":                    {func(in *Input) { claim(in); in.Unavailable = 0 }, Warn, "claim data at a time (ReadWriteOncePod); with max-unavailable 0 no pod can be replaced; --max-surge 0 --max-unavailable 1 lets"},
		"a claim of one pod, slower":            {claim, Warn, "the rollout is slower; --max-surge 0"},
		"a claim of one pod, no surge":          {func(in *Input) { claim(in); in.Surge = 0 }, OK, "takes the place of an old one"},
		"a claim of many":                       {func(in *Input) { claim(in); in.References.Items[0].OnePod = false }, OK, "large enough"},
		"a host port":                           {port, Warn, "by host port TCP/80 none takes two: 1 pods and the surge of 1 are 1 too many; with max-unavailable 0 no pod can be replaced; --max-surge 0"},
		"a host port, and a node more":          {func(in *Input) { port(in); in.Nodes.Items = append(in.Nodes.Items, node("b", "2")) }, OK, "2 of 2 nodes"},
		"a host port, no surge":                 {func(in *Input) { port(in); in.Surge, in.Unavailable = 0, 1 }, OK, "takes the place"},
		"a host port, more nodes not looked at": {func(in *Input) { port(in); in.Nodes.More = true }, OK, "1 of 1 nodes"},
		"apart":                                 {func(in *Input) { apartBy(in, corev1.LabelHostname) }, Warn, "--max-surge 0 --max-unavailable 1 lets each old pod go"},
		"no such node":                          {func(in *Input) { onNode(in, "c", "1") }, Fail, "there is no node c"},
		"no such node so far":                   {func(in *Input) { onNode(in, "c", "1"); in.Nodes.More = true }, Skip, "not among the first 1"},
		"a named node too small":                {func(in *Input) { onNode(in, "a", "3") }, Fail, "node a, which the template names, and it is too small for one"},
		"a named node too small for all":        {func(in *Input) { onNode(in, "a", "1"); in.Workload.Replicas = 3 }, Fail, "too small for 3 of them"},
		"a named node too small for a surge":    {func(in *Input) { onNode(in, "a", "2") }, Warn, "too small for 1 and the surge of 1: it would refuse new pods; --max-surge 0"},
		"a named node":                          {func(in *Input) { onNode(in, "a", "1") }, OK, "large enough for them"},
		"a named node that is cordoned":         {func(in *Input) { onNode(in, "a", "1"); in.Nodes.Items[0].Spec.Unschedulable = true }, Warn, "cordoned"},
		"a port on a named node":                {func(in *Input) { port(in); onNode(in, "a", "1") }, Warn, "it would refuse new pods; --max-surge 0"},
		"the only node cordoned":                {func(in *Input) { in.Nodes.Items[0].Spec.Unschedulable = true }, Warn, "none of 1 nodes can take a pod, unless one is added: 1 are not ready or not of those that it wants and tolerates, 0 are too small, 1 is cordoned (a)"},
		"one of two cordoned": {func(in *Input) {
			in.Nodes.Items = append(in.Nodes.Items, node("b", "2"))
			in.Nodes.Items[1].Spec.Unschedulable = true
			in.Nodes.Items[1].Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}}
		}, OK, "1 of 2 nodes suit the pods and are large enough for one, 1 is cordoned (b)"},
		"cordoned and of others": {func(in *Input) {
			in.Nodes.Items = append(in.Nodes.Items, node("b", "2"))
			in.Nodes.Items[1].Spec.Unschedulable, in.Workload.Template.Spec.NodeSelector = true, map[string]string{"zone": "a"}
		}, OK, "large enough for one; what"},
	} {
		in := sound()
		test.change(in)
		if got := nodeRoom(in); got.Status != test.want || !strings.Contains(got.Message, test.tells) {
			t.Errorf("%s: %s %s", name, got.Status, got.Message)
		}
	}
}

func TestOpenRollouts(t *testing.T) {
	t.Parallel()
	last := func(change func(*Workload)) Result {
		in := sound()
		change(&in.Workload)
		results := Check(in)
		return results[len(results)-1]
	}
	if r := last(func(*Workload) {}); r.ID == OpenRollout {
		t.Errorf("%+v", r)
	}
	if r := last(func(w *Workload) { w.Open = "a stepwise rollout is open, at step 1 of 4" }); r.Status != Fail || !strings.Contains(r.Message, "at step 1 of 4") {
		t.Errorf("%+v", r)
	}
	if r := last(func(w *Workload) { w.Failed = "ProgressDeadlineExceeded" }); r.Status != Warn || !strings.Contains(r.Message, "failed (ProgressDeadlineExceeded)") {
		t.Errorf("%+v", r)
	}
}
