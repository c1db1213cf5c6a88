package preflight

import (
	"errors"
	"slices"
	"strings"
	"testing"

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
	return &Input{
		Workload: Workload{
			Kind: Deployment, Name: "web", Replicas: 4, Selector: &metav1.LabelSelector{MatchLabels: labels}, Deadline: ptr.To[int32](600), Strategy: RollingUpdate,
			Template: &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: "app", Image: "registry.example.com:5000/team/web:v2", ReadinessProbe: &corev1.Probe{},
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("1")}},
				Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 5}}},
			}}}},
		},
		Surge: 1, Unavailable: 1,
		Rights:   Listed[Right]{Items: []Right{{Verb: "patch", Resource: "deployments", Needed: true, Allowed: true}}},
		Nodes:    Listed[corev1.Node]{Items: []corev1.Node{node("a", "2")}},
		Services: Listed[corev1.Service]{Items: []corev1.Service{{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: corev1.ServiceSpec{Selector: labels}}}},
	}
}

// soundSet is a StatefulSet, and surroundings, that every check is content with.
func soundSet() *Input {
	in := sound()
	in.Workload.Kind, in.Workload.ServiceName, in.Workload.Deadline, in.Surge = StatefulSet, "web", nil, 0
	in.Services.Items[0].Spec.ClusterIP = corev1.ClusterIPNone
	return in
}

// soundDaemon is a DaemonSet, and surroundings, that every check is content with.
func soundDaemon() *Input {
	in := sound()
	in.Workload.Kind, in.Workload.Deadline, in.Surge = DaemonSet, nil, 0
	return in
}

func node(name, cpu string) corev1.Node {
	return corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"zone": name}},
		Status:     corev1.NodeStatus{Allocatable: corev1.ResourceList{"cpu": resource.MustParse(cpu), "pods": resource.MustParse("110")}},
	}
}

func app(in *Input) *corev1.Container { return &in.Workload.Template.Spec.Containers[0] }

func quota(name corev1.ResourceName, hard, used string) Listed[corev1.ResourceQuota] {
	return Listed[corev1.ResourceQuota]{Items: []corev1.ResourceQuota{{Status: corev1.ResourceQuotaStatus{
		Hard: corev1.ResourceList{name: resource.MustParse(hard)}, Used: corev1.ResourceList{name: resource.MustParse(used)},
	}}}}
}

func limitRanges(item corev1.LimitRangeItem) Listed[corev1.LimitRange] {
	item.Type = corev1.LimitTypeContainer
	return Listed[corev1.LimitRange]{Items: []corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{item}}}}}
}

// judged is a change to what is sound, and what one check is to say of it while all others are content.
type judged struct {
	change func(*Input)
	id     string
	want   Status
}

// judge makes all checks, and expects those in skipped to be skipped.
func judge(t *testing.T, sound func() *Input, count int, skipped []string, tests map[string]judged) {
	t.Helper()
	for name, test := range tests {
		in := sound()
		test.change(in)
		results := Check(in)
		if len(results) != count {
			t.Errorf("%s: %d checks", name, len(results))
		}
		for _, r := range results {
			want := OK
			if slices.Contains(skipped, r.ID) {
				want = Skip
			}
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

func TestChecks(t *testing.T) {
	t.Parallel()
	denied := errors.New("not yours")
	judge(t, sound, 18, nil, map[string]judged{
		"sound":                   {func(*Input) {}, "", OK},
		"a right is missing":      {func(in *Input) { in.Rights.Items[0].Allowed = false }, Rights, Fail},
		"a right would be good":   {func(in *Input) { in.Rights.Items[0].Allowed, in.Rights.Items[0].Needed = false, false }, Rights, Warn},
		"bad image":               {func(in *Input) { app(in).Image = "Web:v2:3" }, ImageReference, Fail},
		"bad image in upper case": {func(in *Input) { app(in).Image = "example.com/Web:v1" }, ImageReference, Fail},
		"latest":                  {func(in *Input) { app(in).Image = "web:latest" }, ImageTag, Warn},
		"no tag":                  {func(in *Input) { app(in).Image = "registry.example.com:5000/web" }, ImageTag, Warn},
		"something is missing":    {func(in *Input) { in.References.Items = []Reference{{Kind: "Secret", Name: "a", Missing: true}} }, References, Fail},
		"a key is missing": {func(in *Input) {
			in.References.Items = []Reference{{Kind: "ConfigMap", Name: "a", MissingKeys: []string{"b"}}}
		}, References, Fail},
		"something may be missing": {func(in *Input) { in.References.Items = []Reference{{Kind: "Secret", Name: "a", Err: denied}} }, References, Skip},
		"many references":          {func(in *Input) { in.References = Listed[Reference]{Items: []Reference{{Name: "a"}}, More: true} }, "", OK},
		"no pull secret":           {func(in *Input) { in.PullSecrets.Items = []Reference{{Kind: "Secret", Name: "a", Missing: true}} }, PullSecrets, Warn},
		"pull secret not seen":     {func(in *Input) { in.PullSecrets.Items = []Reference{{Kind: "Secret", Name: "a", Err: denied}} }, PullSecrets, Skip},
		"pull secrets not known":   {func(in *Input) { in.PullSecrets.Err = denied }, PullSecrets, Skip},
		"a pull secret":            {func(in *Input) { in.PullSecrets.Items = []Reference{{Kind: "Secret", Name: "a"}} }, "", OK},
		"budget":                   {func(in *Input) { in.Budgets.Items = budgets(in.Workload.Selector, 4, 4) }, DisruptionBudget, Warn},
		"budget of all pods":       {func(in *Input) { in.Budgets.Items = budgets(&metav1.LabelSelector{}, 4, 4) }, DisruptionBudget, Warn},
		"budget of several":        {func(in *Input) { in.Budgets.Items = budgets(in.Workload.Selector, 8, 7) }, "", OK},
		"budget of no pods":        {func(in *Input) { in.Budgets.Items = budgets(nil, 4, 4) }, "", OK},
		"second budget": {func(in *Input) {
			in.Budgets.Items = append(budgets(in.Workload.Selector, 4, 3), budgets(in.Workload.Selector, 4, 4)...)
		}, DisruptionBudget, Warn},
		"autoscaler":          {func(in *Input) { in.Autoscalers.Items = scaling("Deployment") }, Autoscaler, Warn},
		"another autoscaler":  {func(in *Input) { in.Autoscalers.Items = scaling("StatefulSet") }, "", OK},
		"no probe":            {func(in *Input) { app(in).ReadinessProbe = nil }, ReadinessProbe, Warn},
		"a sidecar is probed": {func(in *Input) { probedSidecar(in); app(in).ReadinessProbe = nil }, ReadinessProbe, Warn},
		"a sidecar is not":    {func(in *Input) { probedSidecar(in); in.Workload.Template.Spec.Containers[1].ReadinessProbe = nil }, "", OK},
		"a sidecar comes first": {func(in *Input) {
			probedSidecar(in)
			app(in).ReadinessProbe = nil
			in.Workload.Template.Annotations = map[string]string{"kubectl.kubernetes.io/default-container": "proxy"}
		}, "", OK},
		"no service":   {func(in *Input) { in.Services.Items = nil }, ServiceSelects, Warn},
		"none of many": {func(in *Input) { in.Services.Items, in.Services.More = nil, true }, ServiceSelects, Skip},
		"overlap": {func(in *Input) {
			in.Others.Items = []Other{{Kind: "StatefulSet", Name: "web", Selector: in.Workload.Selector}, itself(in)}
		}, SelectorUnique, Warn},
		"overlap from here": {func(in *Input) {
			in.Others.Items = []Other{{Kind: "DaemonSet", Name: "a", Labels: in.Workload.Template.Labels}}
		}, SelectorUnique, Warn},
		"itself":              {func(in *Input) { in.Others.Items = []Other{itself(in)} }, "", OK},
		"many workloads":      {func(in *Input) { in.Others = Listed[Other]{Items: []Other{itself(in)}, More: true} }, SelectorUnique, Skip},
		"no time to drain":    {func(in *Input) { in.Workload.Template.Spec.TerminationGracePeriodSeconds = ptr.To[int64](0) }, DrainTime, Warn},
		"all may be missing":  {func(in *Input) { in.Unavailable = 4 }, Availability, Warn},
		"one replica":         {func(in *Input) { in.Workload.Replicas, in.Unavailable = 1, 0 }, Availability, Warn},
		"Recreate":            {func(in *Input) { in.Workload.Strategy = Recreate }, UpdateStrategy, Warn},
		"short deadline":      {func(in *Input) { app(in).StartupProbe = &corev1.Probe{PeriodSeconds: 10, FailureThreshold: 60} }, ProgressDeadline, Warn},
		"no deadline of note": {func(in *Input) { in.Workload.Deadline = nil }, "", OK},
		"hook too long": {func(in *Input) {
			app(in).Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 30}}}
		}, DrainTime, Warn},
	})
}

// probedSidecar adds a container whose readiness is probed.
func probedSidecar(in *Input) {
	all := &in.Workload.Template.Spec.Containers
	*all = append(*all, corev1.Container{Name: "proxy", Image: "proxy:v1", ReadinessProbe: &corev1.Probe{}})
}

func itself(in *Input) Other {
	return Other{Kind: in.Workload.Kind, Name: in.Workload.Name, Selector: in.Workload.Selector, Labels: in.Workload.Template.Labels}
}

func budgets(selector *metav1.LabelSelector, expected, healthy int32) []policyv1.PodDisruptionBudget {
	return []policyv1.PodDisruptionBudget{{
		Spec:   policyv1.PodDisruptionBudgetSpec{Selector: selector},
		Status: policyv1.PodDisruptionBudgetStatus{ExpectedPods: expected, DesiredHealthy: healthy},
	}}
}

func scaling(kind string) []autoscalingv2.HorizontalPodAutoscaler {
	return []autoscalingv2.HorizontalPodAutoscaler{{Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
		ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: kind, Name: "web"},
	}}}
}

func TestQuotasAndLimitRanges(t *testing.T) {
	t.Parallel()
	denied := errors.New("not yours")
	begins := func(in *Input, cpu string) {
		in.Workload.Template.Spec.InitContainers = []corev1.Container{{
			Name: "init", Image: "init:v1", Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse(cpu)}},
		}}
	}
	judge(t, sound, 18, nil, map[string]judged{
		"quota with room":          {func(in *Input) { in.Quotas = quota("requests.cpu", "5", "4") }, "", OK},
		"quota slows down":         {func(in *Input) { in.Quotas = quota("requests.cpu", "4", "4") }, QuotaRoom, Warn},
		"quota stands in the way":  {func(in *Input) { in.Quotas, in.Unavailable = quota("cpu", "4", "4"), 0 }, QuotaRoom, Fail},
		"without surge it is full": {func(in *Input) { in.Quotas, in.Surge = quota("requests.cpu", "4", "4"), 0 }, "", OK},
		"without surge, exceeded":  {func(in *Input) { in.Quotas, in.Surge, in.Unavailable = quota("requests.cpu", "3", "4"), 0, 2 }, QuotaRoom, Warn},
		"what goes cannot come":    {func(in *Input) { in.Quotas = quota("requests.cpu", "3", "4") }, QuotaRoom, Fail},
		"the same without surge":   {func(in *Input) { in.Quotas, in.Surge = quota("requests.cpu", "3", "4"), 0 }, QuotaRoom, Fail},
		"exceeded, and nothing is asked for": {func(in *Input) {
			in.Quotas, app(in).Resources.Requests[corev1.ResourceCPU] = quota("requests.cpu", "3", "4"), resource.MustParse("0")
		}, "", OK},
		"nothing is set": {func(in *Input) { in.Quotas = quota("limits.memory", "9Gi", "0") }, QuotaRoom, Fail},
		"set by a LimitRange": {func(in *Input) {
			in.Quotas = quota("limits.memory", "9Gi", "0")
			in.LimitRanges = limitRanges(corev1.LimitRangeItem{Default: corev1.ResourceList{"memory": resource.MustParse("1Gi")}})
			in.Nodes.Items[0].Status.Allocatable["memory"] = resource.MustParse("9Gi")
		}, "", OK},
		"a limit is the request": {func(in *Input) {
			app(in).Resources = corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("2")}}
			in.Quotas = quota("requests.cpu", "5", "4")
		}, QuotaRoom, Warn},
		"init containers count":       {func(in *Input) { begins(in, "2"); in.Quotas = quota("requests.cpu", "5", "4") }, QuotaRoom, Warn},
		"the larger one counts alone": {func(in *Input) { begins(in, "1"); in.Quotas = quota("requests.cpu", "5", "4") }, "", OK},
		"quotas not to be read":       {func(in *Input) { in.Quotas.Err = denied }, QuotaRoom, Skip},
		"limit range": {func(in *Input) {
			in.LimitRanges = limitRanges(corev1.LimitRangeItem{Min: corev1.ResourceList{"cpu": resource.MustParse("2")}})
		}, LimitRangeAllows, Fail},
		"limits of a pod": {func(in *Input) {
			in.LimitRanges = ofPods(corev1.LimitRangeItem{Max: corev1.ResourceList{"cpu": resource.MustParse("1")}})
			app(in).Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("2")}
		}, LimitRangeAllows, Fail},
		"limits of a pod that sets none": {func(in *Input) {
			in.LimitRanges = ofPods(corev1.LimitRangeItem{Max: corev1.ResourceList{"memory": resource.MustParse("1Gi")}})
		}, LimitRangeAllows, Fail},
		"limits that a pod keeps": {func(in *Input) {
			in.LimitRanges = ofPods(corev1.LimitRangeItem{
				Max: corev1.ResourceList{"cpu": resource.MustParse("2")}, Min: corev1.ResourceList{"cpu": resource.MustParse("1")},
				MaxLimitRequestRatio: corev1.ResourceList{"cpu": resource.MustParse("2")},
			})
			app(in).Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("2")}
		}, "", OK},
		"less than a pod has to ask for": {func(in *Input) {
			in.LimitRanges = ofPods(corev1.LimitRangeItem{Min: corev1.ResourceList{"memory": resource.MustParse("1Gi")}})
		}, LimitRangeAllows, Fail},
		"a limit below the least": {func(in *Input) {
			in.LimitRanges = limitRanges(corev1.LimitRangeItem{Min: corev1.ResourceList{"cpu": resource.MustParse("1")}})
			app(in).Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("500m")}
		}, LimitRangeAllows, Fail},
		"a request above the most": {func(in *Input) {
			in.LimitRanges = limitRanges(corev1.LimitRangeItem{Max: corev1.ResourceList{"cpu": resource.MustParse("500m")}})
			app(in).Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("400m")}
		}, LimitRangeAllows, Fail},
		"a limit far above the request": {func(in *Input) {
			in.LimitRanges = limitRanges(corev1.LimitRangeItem{MaxLimitRequestRatio: corev1.ResourceList{"cpu": resource.MustParse("2")}})
			app(in).Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("3")}
		}, LimitRangeAllows, Fail},
		"limits of something else": {func(in *Input) {
			in.LimitRanges = ofPods(corev1.LimitRangeItem{Max: corev1.ResourceList{"storage": resource.MustParse("1Gi")}})
			in.LimitRanges.Items[0].Spec.Limits[0].Type = corev1.LimitTypePersistentVolumeClaim
		}, "", OK},
		"limit range of defaults": {func(in *Input) {
			in.LimitRanges = limitRanges(corev1.LimitRangeItem{
				Max: corev1.ResourceList{"memory": resource.MustParse("1Gi")}, Default: corev1.ResourceList{"memory": resource.MustParse("2Gi")},
			})
		}, LimitRangeAllows, Fail},
	})
}

// What a rollout takes of a quota depends on what there is now, too: old pods give back what they have taken.
func TestQuotasOfAnotherSize(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		hard, used string
		// old and one are what an old and a new pod ask for, of which there are before and after as many.
		old, one           string
		before, after      int32
		surge, unavailable int32
		want               Status
		tells              string
	}{
		"the same":                              {"5", "4", "1", "1", 4, 4, 1, 0, OK, "room for the surge of 1 in 1 quotas"},
		"smaller, and the quota is exceeded":    {"3500m", "4", "1", "250m", 4, 4, 1, 1, Warn, "is exceeded by 500m of requests.cpu: a pod that goes"},
		"the same without a surge":              {"3500m", "4", "1", "250m", 4, 4, 0, 1, Warn, "is exceeded by 500m"},
		"smaller, and none may go":              {"3500m", "4", "1", "250m", 4, 4, 1, 0, Fail, "with max-unavailable 0 no pod could be replaced"},
		"larger, and there is no end":           {"6", "4", "1", "2", 4, 4, 1, 1, Warn, "all 4 new pods take 2 more than that"},
		"larger, and what goes makes no room":   {"4", "4", "1", "2", 4, 4, 0, 1, Fail, "leaves 0 of requests.cpu, and a new pod takes 2: a pod that goes"},
		"larger, and two that go make room":     {"8", "8", "1", "2", 4, 4, 0, 2, Warn, "all 4 new pods take 4 more"},
		"larger, and there is room":             {"10", "4", "1", "2", 4, 4, 1, 0, OK, ""},
		"more of them":                          {"8", "4", "1", "1", 4, 7, 1, 0, OK, ""},
		"more of them, slowly":                  {"7", "4", "1", "1", 4, 7, 1, 1, Warn, "3 pods more and the surge of 1 take 4; the rollout is slower"},
		"more than there is":                    {"6", "4", "1", "1", 4, 7, 1, 0, Warn, "all 7 new pods take 1 more than that"},
		"more of them, and no room for any":     {"4", "4", "1", "1", 4, 7, 1, 0, Fail, "leaves 0"},
		"fewer, where it is full":               {"4", "4", "1", "1", 4, 2, 1, 0, OK, ""},
		"fewer and larger":                      {"4", "4", "1", "2", 4, 2, 1, 0, OK, ""},
		"from nothing":                          {"5", "1", "1", "1", 0, 4, 1, 0, Warn, "4 pods more and the surge of 1 take 5"},
		"of what old ones did not ask for":      {"4", "0", "0", "1", 4, 4, 1, 1, OK, ""},
		"of what old ones did not ask for, all": {"3", "0", "0", "1", 4, 4, 1, 1, Warn, "all 4 new pods take 1 more"},
	} {
		in := sound()
		live := in.Workload
		live.Template = in.Workload.Template.DeepCopy()
		live.Template.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse(test.old)
		app(in).Resources.Requests[corev1.ResourceCPU] = resource.MustParse(test.one)
		live.Replicas, in.Workload.Replicas, in.Surge, in.Unavailable = test.before, test.after, test.surge, test.unavailable
		in.Live, in.Quotas = &live, quota("requests.cpu", test.hard, test.used)
		if got := quotaRoom(in); got.Status != test.want || !strings.Contains(got.Message, test.tells) {
			t.Errorf("%s: %s %s", name, got.Status, got.Message)
		}
	}
	// A quota that does not count the old pods gets nothing back from them.
	in := sound()
	live := in.Workload
	live.Template = in.Workload.Template.DeepCopy()
	in.Workload.Template.Spec.PriorityClassName = "high"
	in.Live, in.Surge, in.Quotas = &live, 0, quota("pods", "0", "0")
	in.Quotas.Items[0].Spec.Scopes = []corev1.ResourceQuotaScope{corev1.ResourceQuotaScopePriorityClass}
	if got := quotaRoom(in); got.Status != Fail {
		t.Errorf("%s %s", got.Status, got.Message)
	}
}

func ofPods(item corev1.LimitRangeItem) Listed[corev1.LimitRange] {
	list := limitRanges(item)
	list.Items[0].Spec.Limits[0].Type = corev1.LimitTypePod
	return list
}

// A quota with scopes counts some pods alone.
func TestQuotasWithScopes(t *testing.T) {
	t.Parallel()
	class := func(operator corev1.ScopeSelectorOperator, values ...string) *corev1.ScopeSelector {
		return &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{
			{ScopeName: corev1.ResourceQuotaScopePriorityClass, Operator: operator, Values: values},
		}}
	}
	for name, test := range map[string]struct {
		spec  corev1.ResourceQuotaSpec
		class string
		// bare pods ask for nothing.
		bare bool
		want bool
	}{
		"no scope":             {want: true},
		"that run on":          {spec: corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{"NotTerminating"}}, want: true},
		"that end":             {spec: corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{"Terminating"}}},
		"best effort":          {spec: corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{"BestEffort"}}},
		"best effort, and is":  {spec: corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{"BestEffort"}}, bare: true, want: true},
		"not best effort":      {spec: corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{"NotBestEffort"}}, want: true},
		"not that, and is":     {spec: corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{"NotBestEffort"}}, bare: true},
		"two":                  {spec: corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{"NotTerminating", "BestEffort"}}},
		"elsewhere":            {spec: corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{"CrossNamespacePodAffinity"}}},
		"of a class":           {spec: corev1.ResourceQuotaSpec{ScopeSelector: class(corev1.ScopeSelectorOpIn, "high")}, class: "high", want: true},
		"of another class":     {spec: corev1.ResourceQuotaSpec{ScopeSelector: class(corev1.ScopeSelectorOpIn, "high")}, class: "low"},
		"of no such class":     {spec: corev1.ResourceQuotaSpec{ScopeSelector: class(corev1.ScopeSelectorOpNotIn, "high")}, class: "low", want: true},
		"of any class":         {spec: corev1.ResourceQuotaSpec{ScopeSelector: class(corev1.ScopeSelectorOpExists)}},
		"of none":              {spec: corev1.ResourceQuotaSpec{ScopeSelector: class(corev1.ScopeSelectorOpDoesNotExist)}, want: true},
		"of a class, as scope": {spec: corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{"PriorityClass"}}, class: "low", want: true},
		"not known":            {spec: corev1.ResourceQuotaSpec{Scopes: []corev1.ResourceQuotaScope{"Tuesdays"}}, want: true},
	} {
		in := sound()
		in.Workload.Template.Spec.PriorityClassName = test.class
		if test.bare {
			app(in).Resources = corev1.ResourceRequirements{}
		}
		in.Quotas = quota("pods", "4", "4")
		in.Quotas.Items[0].Spec, in.Unavailable = test.spec, 0
		got := quotaRoom(in)
		if counted := got.Status == Fail; counted != test.want || !counted && got.Message != "room for the surge of 1 in 0 quotas" {
			t.Errorf("%s: %s %s", name, got.Status, got.Message)
		}
	}
}

func TestStatefulSets(t *testing.T) {
	t.Parallel()
	judge(t, soundSet, 20, []string{ProgressDeadline}, map[string]judged{
		"sound":             {func(*Input) {}, "", OK},
		"OnDelete":          {func(in *Input) { in.Workload.Strategy = OnDelete }, UpdateStrategy, Warn},
		"partition":         {func(in *Input) { in.Workload.Partition = 2 }, UpdateStrategy, Warn},
		"partition of all":  {func(in *Input) { in.Workload.Partition = 4 }, UpdateStrategy, Warn},
		"no such Service":   {func(in *Input) { in.Workload.ServiceName = "db" }, ServiceName, Warn},
		"perhaps a Service": {func(in *Input) { in.Workload.ServiceName, in.Services.More = "db", true }, ServiceName, Skip},
		"not headless":      {func(in *Input) { in.Services.Items[0].Spec.ClusterIP = "10.0.0.1" }, ServiceName, Warn},
		"names no Service":  {func(in *Input) { in.Workload.ServiceName = "" }, "", OK},
		"no StorageClass":   {func(in *Input) { in.Classes.Items = []Reference{{Kind: "StorageClass", Name: "a", Missing: true}} }, ClaimTemplates, Warn},
		"classes not seen": {func(in *Input) {
			in.Classes.Items = []Reference{{Kind: "StorageClass", Name: "a", Err: errors.New("no")}}
		}, ClaimTemplates, Skip},
		"autoscaler":         {func(in *Input) { in.Autoscalers.Items = scaling("StatefulSet") }, Autoscaler, Warn},
		"a Deployment's own": {func(in *Input) { in.Autoscalers.Items = scaling("Deployment") }, "", OK},
		"of the same name": {func(in *Input) {
			in.Others.Items = []Other{{Kind: "Deployment", Name: "web", Selector: in.Workload.Selector}}
		}, SelectorUnique, Warn},
		"a right": {func(in *Input) { in.Rights.Items[0].Allowed, in.Rights.Items[0].Needed = false, false }, Rights, Warn},
		"a Service for others": {func(in *Input) {
			in.Services.Items = append(in.Services.Items, corev1.Service{
				ObjectMeta: metav1.ObjectMeta{Name: "db"}, Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Selector: map[string]string{"app": "db"}},
			})
			in.Workload.ServiceName = "db"
		}, ServiceName, Warn},
	})
}

func TestDaemonSets(t *testing.T) {
	t.Parallel()
	judge(t, soundDaemon, 18, []string{ProgressDeadline, Autoscaler}, map[string]judged{
		"sound":       {func(*Input) {}, "", OK},
		"no service":  {func(in *Input) { in.Services.Items = nil }, "", OK},
		"OnDelete":    {func(in *Input) { in.Workload.Strategy = OnDelete }, UpdateStrategy, Warn},
		"one node":    {func(in *Input) { in.Workload.Replicas = 1 }, "", OK},
		"all at once": {func(in *Input) { in.Unavailable = 4 }, Availability, Warn},
		"a node that takes no pods": {func(in *Input) {
			in.Nodes.Items[0].Spec.Unschedulable = true
			in.Nodes.Items[0].Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeDiskPressure, Effect: corev1.TaintEffectNoSchedule}}
		}, "", OK},
		"a node that is down": {down, NodeRoom, Warn},
		"one of two is down":  {func(in *Input) { down(in); in.Nodes.Items = append(in.Nodes.Items, node("b", "2")) }, "", OK},
		"a node that is to be emptied": {func(in *Input) {
			in.Nodes.Items[0].Spec.Taints = []corev1.Taint{{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute}}
		}, "", OK},
		"a small node":   {func(in *Input) { in.Nodes.Items = append(in.Nodes.Items, node("b", "100m")) }, NodeRoom, Warn},
		"beside the old": {func(in *Input) { in.Surge, in.Taken = 1, taken("a", "1") }, "", OK},
		"not beside it":  {func(in *Input) { in.Surge, in.Taken = 1, taken("a", "1500m") }, NodeRoom, Warn},
		"one of two is full": {func(in *Input) {
			in.Nodes.Items = append(in.Nodes.Items, node("b", "9"))
			in.Surge, in.Taken = 1, taken("b", "9")
		}, NodeRoom, Warn},
	})
}

// down lets the first node report no more.
func down(in *Input) {
	in.Nodes.Items[0].Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}}
}

func TestImageNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"web": true, "web:v1": true, "library/web": true, "localhost:5000/web:v1": true, "example.com/a/b-c_d.e:V1.0": true,
		"example.com/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef": true,
		"[fd00::1]:5000/team/web:v1": true, "[::1]/web": true, "[::1]": false, "[fd00::1]:5000": false, "fd00::1/web": false, "[web]/web": false,
		"": false, "web:": false, "web v1": false, "-web": false, "example.com/UPPER": false, "web:v1:v2": false, "web@sha256:12": false,
	} {
		if got := imageName.MatchString(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
