package preflight

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestPreStop(t *testing.T) {
	t.Parallel()
	port := func(number int32, name string) []corev1.ContainerPort {
		return []corev1.ContainerPort{{ContainerPort: number, Name: name}}
	}
	bare := corev1.Container{Name: "bare", Image: "x:1", ReadinessProbe: &corev1.Probe{}}
	target := func(in *Input, to intstr.IntOrString) {
		in.Services.Items[0].Spec.Ports = []corev1.ServicePort{{Port: 80, TargetPort: to}}
	}
	exec := &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{}}}
	for name, test := range map[string]struct {
		change func(*Input)
		want   Status
	}{
		"a hook":                 {func(*Input) {}, OK},
		"a hook of another kind": {func(in *Input) { app(in).Lifecycle = exec }, OK},
		"no hook":                {func(in *Input) { app(in).Lifecycle = nil }, Warn},
		"only postStart":         {func(in *Input) { app(in).Lifecycle = &corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{}} }, Warn},
		"no Service":             {func(in *Input) { app(in).Lifecycle, in.Services.Items = nil, nil }, OK},
		"a Service without a selector": {func(in *Input) {
			app(in).Lifecycle, in.Services.Items[0].Spec.Selector = nil, nil
		}, OK},
		"another Service": {func(in *Input) {
			app(in).Lifecycle, in.Services.Items[0].Spec.Selector = nil, map[string]string{"app": "db"}
		}, OK},
		"another container serves nothing": {func(in *Input) {
			in.Workload.Template.Spec.Containers = append(in.Workload.Template.Spec.Containers, bare)
		}, OK},
		"another container serves": {func(in *Input) {
			bare.Ports = port(9090, "")
			in.Workload.Template.Spec.Containers = append(in.Workload.Template.Spec.Containers, bare)
			target(in, intstr.FromInt32(9090))
		}, Warn},
		"by a port's name": {func(in *Input) {
			app(in).Lifecycle, app(in).Ports = nil, port(8080, "http")
			target(in, intstr.FromString("http"))
		}, Warn},
		"the port is the target": {func(in *Input) {
			app(in).Lifecycle, app(in).Ports = nil, port(80, "")
			target(in, intstr.IntOrString{})
		}, Warn},
		"a native sidecar serves": {func(in *Input) {
			app(in).Lifecycle = nil
			in.Workload.Template.Spec.InitContainers = []corev1.Container{{Name: "proxy", Ports: port(15001, "")}}
			target(in, intstr.FromInt32(15001))
		}, OK},
	} {
		in := sound()
		test.change(in)
		if got := preStop(in); got.Status != test.want {
			t.Errorf("%s: %s %s, want %s", name, got.Status, got.Message, test.want)
		}
	}
}
