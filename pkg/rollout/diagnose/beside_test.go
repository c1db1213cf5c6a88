package diagnose

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Where an old pod has what a new one waits for, the flags are named that let the old one go first.
func TestFlagsThatLetOldPodsGoFirst(t *testing.T) {
	t.Parallel()
	old := podWith("old", runs(0))
	for message, names := range map[string]bool{
		"0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.":                                                                  true,
		"0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.":                                                    true,
		"0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode. preemption: none": true,
		"0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match pod anti-affinity rules.":                                              true,
		"0/3 nodes are available: 3 Insufficient cpu.":                                                                                              false,
		"0/3 nodes are available: 3 node(s) had untolerated taint(s).":                                                                              false,
	} {
		for what, others := range map[string][]*corev1.Pod{"beside an old pod": {old}, "alone": nil} {
			in := inputOf(10, unscheduled("new", message))
			in.Deployment, in.Others = &appsv1.Deployment{}, others
			in.Workload, in.Situation = Object{Kind: "Deployment", Name: "web"}, Situation{}
			found := Diagnose(in).Findings
			if len(found) != 1 {
				t.Fatalf("%s, %s: %+v", message, what, found)
			}
			f := &found[0]
			want := names && len(others) > 0
			if told := strings.Join(f.Evidence, "\n"); strings.Contains(told, "--max-surge 0 --max-unavailable 1") != want {
				t.Errorf("%s, %s: evidence %q", message, what, told)
			}
			f.Leave(7)
			if again := strings.Join(f.Remedy, "\n"); strings.Contains(again, "--to-revision 7 --max-surge 0 --max-unavailable 1") != want {
				t.Errorf("%s, %s: remedy %q", message, what, again)
			}
			if strings.Contains(message, "ReadWriteOncePod") && f.ID != NodesUnsuitable {
				t.Errorf("%s is told as %s", message, f.ID)
			}
		}
	}
}
