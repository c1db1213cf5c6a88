package history

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func templateWith(image, restartedAt string) corev1.PodTemplateSpec {
	template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: image}}}}
	if restartedAt != "" {
		template.Annotations = map[string]string{podtemplate.RestartedAtAnnotation: restartedAt}
	}
	return template
}

func TestUnderWay(t *testing.T) {
	t.Parallel()
	set := func(image string, ready int32) *appsv1.ReplicaSet {
		return &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Template: templateWith(image, "")}, Status: appsv1.ReplicaSetStatus{ReadyReplicas: ready}}
	}
	d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Template: templateWith("web:2", "now")}}
	for name, test := range map[string]struct {
		sets []*appsv1.ReplicaSet
		want bool
	}{
		"only a restart":     {[]*appsv1.ReplicaSet{set("web:2", 3)}, false},
		"the old one serves": {[]*appsv1.ReplicaSet{set("web:1", 1), set("web:2", 2)}, true},
		"nothing serves":     {[]*appsv1.ReplicaSet{set("web:1", 0), set("web:2", 0)}, false},
	} {
		if got := deploymentUnderWay(new(workload.Of(d)), test.sets); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestRevisionsDiffer(t *testing.T) {
	t.Parallel()
	revision := func(name string, number int64, template string) *appsv1.ControllerRevision {
		return &appsv1.ControllerRevision{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Revision: number, Data: runtime.RawExtension{Raw: []byte(`{"spec":{"template":` + template + `}}`)},
		}
	}
	const one = `{"$patch":"replace","spec":{"containers":[{"name":"web","image":"web:1"}]}}`
	const restarted = `{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}},"spec":{"containers":[{"name":"web","image":"web:1"}]}}`
	const two = `{"spec":{"containers":[{"name":"web","image":"web:2"}]}}`
	for name, test := range map[string]struct {
		revisions []*appsv1.ControllerRevision
		want      bool
	}{
		"one only":           {[]*appsv1.ControllerRevision{revision("a", 1, one)}, false},
		"a restart":          {[]*appsv1.ControllerRevision{revision("a", 1, one), revision("b", 2, restarted)}, false},
		"another version":    {[]*appsv1.ControllerRevision{revision("b", 2, two), revision("a", 1, one)}, true},
		"older do not count": {[]*appsv1.ControllerRevision{revision("z", 1, two), revision("a", 2, one), revision("b", 3, restarted)}, false},
		"cannot be read":     {[]*appsv1.ControllerRevision{revision("a", 1, one), revision("b", 2, `"?"`)}, true},
	} {
		if got := daemonSetUnderWay(test.revisions); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestWhatMayBeUnderWay(t *testing.T) {
	t.Parallel()
	deployment := func(status appsv1.DeploymentStatus, paused bool) workload.Object {
		return &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Paused: paused}, Status: status}
	}
	statefulSet := func(partition, ready, updated int32, strategy appsv1.StatefulSetUpdateStrategyType) workload.Object {
		replicas := int32(3)
		return &appsv1.StatefulSet{
			Spec: appsv1.StatefulSetSpec{Replicas: &replicas, UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
				Type: strategy, RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: &partition},
			}},
			Status: appsv1.StatefulSetStatus{
				ObservedGeneration: 1, ReadyReplicas: ready, AvailableReplicas: ready, UpdatedReplicas: updated, CurrentRevision: "a", UpdateRevision: "b",
			},
		}
	}
	rolledBack := func(workload workload.Object) workload.Object {
		set := workload.(*appsv1.StatefulSet)
		set.Status.CurrentRevision, set.Status.Replicas = set.Status.UpdateRevision, 3
		return set
	}
	const rolling, onDelete = appsv1.RollingUpdateStatefulSetStrategyType, appsv1.OnDeleteStatefulSetStrategyType
	for name, test := range map[string]struct {
		workload workload.Object
		want     bool
	}{
		"complete":                   {deployment(appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1}, false), false},
		"old pods are left":          {deployment(appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 1, ReadyReplicas: 1}, false), true},
		"none is ready":              {deployment(appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 1}, false), false},
		"paused":                     {deployment(appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 1, ReadyReplicas: 2}, true), false},
		"a StatefulSet in its midst": {statefulSet(0, 2, 1, rolling), true},
		"a rollback in its midst":    {rolledBack(statefulSet(0, 2, 2, rolling)), true},
		"its pods are all restored":  {rolledBack(statefulSet(0, 2, 3, rolling)), false},
		"partitioned":                {statefulSet(2, 3, 1, rolling), false},
		"OnDelete":                   {statefulSet(0, 3, 1, onDelete), false},
	} {
		if got := mayBeUnderWay(new(workload.Of(test.workload))); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
