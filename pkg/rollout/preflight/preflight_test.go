package preflight

import (
	"errors"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// sound is a Deployment, and surroundings, that every check is content with.
func sound() *Input {
	labels := map[string]string{"app": "web"}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	return &Input{
		Deployment: &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Name: "web"},
			Spec: appsv1.DeploymentSpec{
				Replicas: ptr.To[int32](4), Selector: selector, ProgressDeadlineSeconds: ptr.To[int32](600),
				Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "app", Image: "registry.example.com:5000/team/web:v2", ReadinessProbe: &corev1.Probe{},
					Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("1")}},
				}}}},
			},
		},
		Surge: 1, Unavailable: 1,
		Rights:   Listed[Right]{Items: []Right{{Verb: "patch", Resource: "deployments", Needed: true, Allowed: true}}},
		Nodes:    Listed[corev1.Node]{Items: []corev1.Node{{Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{"cpu": resource.MustParse("2")}}}}},
		Services: Listed[corev1.Service]{Items: []corev1.Service{{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: corev1.ServiceSpec{Selector: labels}}}},
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	app := func(in *Input) *corev1.Container { return &in.Deployment.Spec.Template.Spec.Containers[0] }
	quota := func(hard, used string) Listed[corev1.ResourceQuota] {
		return Listed[corev1.ResourceQuota]{Items: []corev1.ResourceQuota{{Status: corev1.ResourceQuotaStatus{
			Hard: corev1.ResourceList{"requests.cpu": resource.MustParse(hard)}, Used: corev1.ResourceList{"requests.cpu": resource.MustParse(used)},
		}}}}
	}
	denied := errors.New("not yours")
	for name, test := range map[string]struct {
		change func(*Input)
		id     string
		want   Status
	}{
		"sound":                    {func(*Input) {}, "", OK},
		"a right is missing":       {func(in *Input) { in.Rights.Items[0].Allowed = false }, Rights, Fail},
		"a right would be good":    {func(in *Input) { in.Rights.Items[0].Allowed, in.Rights.Items[0].Needed = false, false }, Rights, Warn},
		"bad image":                {func(in *Input) { app(in).Image = "Web:v2:3" }, ImageReference, Fail},
		"bad image in upper case":  {func(in *Input) { app(in).Image = "example.com/Web:v1" }, ImageReference, Fail},
		"latest":                   {func(in *Input) { app(in).Image = "web:latest" }, ImageTag, Warn},
		"no tag":                   {func(in *Input) { app(in).Image = "registry.example.com:5000/web" }, ImageTag, Warn},
		"something is missing":     {func(in *Input) { in.References = []Reference{{Kind: "Secret", Name: "a", Missing: true}} }, References, Fail},
		"something may be missing": {func(in *Input) { in.References = []Reference{{Kind: "Secret", Name: "a", Err: denied}} }, References, Skip},
		"quota with room":          {func(in *Input) { in.Quotas = quota("5", "4") }, "", OK},
		"quota slows down":         {func(in *Input) { in.Quotas = quota("4", "4") }, QuotaRoom, Warn},
		"quota stands in the way":  {func(in *Input) { in.Quotas, in.Unavailable = quota("4", "4"), 0 }, QuotaRoom, Fail},
		"quotas not to be read":    {func(in *Input) { in.Quotas.Err = denied }, QuotaRoom, Skip},
		"limit range": {func(in *Input) {
			in.LimitRanges.Items = []corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
				{Type: corev1.LimitTypeContainer, Min: corev1.ResourceList{"cpu": resource.MustParse("2")}},
			}}}}
		}, LimitRangeAllows, Fail},
		"small nodes": {func(in *Input) { app(in).Resources.Requests["cpu"] = resource.MustParse("3") }, NodeRoom, Warn},
		"budget": {func(in *Input) {
			in.Budgets.Items = []policyv1.PodDisruptionBudget{{
				Spec: policyv1.PodDisruptionBudgetSpec{Selector: in.Deployment.Spec.Selector}, Status: policyv1.PodDisruptionBudgetStatus{DesiredHealthy: 4},
			}}
		}, DisruptionBudget, Warn},
		"autoscaler": {func(in *Input) {
			in.Autoscalers.Items = []autoscalingv2.HorizontalPodAutoscaler{{Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
				ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "web"},
			}}}
		}, Autoscaler, Warn},
		"no probe":   {func(in *Input) { app(in).ReadinessProbe = nil }, ReadinessProbe, Warn},
		"no service": {func(in *Input) { in.Services.Items = nil }, ServiceSelects, Warn},
		"overlap": {func(in *Input) {
			other := *in.Deployment.DeepCopy()
			other.Name = "other"
			in.Deployments.Items = []appsv1.Deployment{other, *in.Deployment}
		}, SelectorUnique, Warn},
		"no time to drain": {func(in *Input) { in.Deployment.Spec.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](0) }, DrainTime, Warn},
		"hook too long": {func(in *Input) {
			app(in).Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 30}}}
		}, DrainTime, Warn},
		"all may be missing": {func(in *Input) { in.Unavailable = 4 }, Availability, Warn},
		"one replica":        {func(in *Input) { in.Deployment.Spec.Replicas, in.Unavailable = ptr.To[int32](1), 0 }, Availability, Warn},
		"short deadline": {func(in *Input) {
			app(in).StartupProbe = &corev1.Probe{PeriodSeconds: 10, FailureThreshold: 60}
		}, ProgressDeadline, Warn},
	} {
		in := sound()
		test.change(in)
		results := Check(in)
		if len(results) != 15 {
			t.Errorf("%s: %d checks", name, len(results))
		}
		for _, r := range results {
			want := OK
			if r.ID == test.id {
				want = test.want
			}
			if r.Status != want || r.Message == "" {
				t.Errorf("%s: %s %s: %s", name, r.Status, r.ID, r.Message)
			}
		}
		if failed := Failed(results); (len(failed) > 0) != (test.want == Fail) {
			t.Errorf("%s: failed %v", name, failed)
		}
	}
}

func TestImageNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"web": true, "web:v1": true, "library/web": true, "localhost:5000/web:v1": true, "example.com/a/b-c_d.e:V1.0": true,
		"example.com/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef": true,
		"": false, "web:": false, "web v1": false, "-web": false, "example.com/UPPER": false, "web:v1:v2": false, "web@sha256:12": false,
	} {
		if got := imageName.MatchString(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
