package rollout

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

func TestPatchOperations(t *testing.T) {
	t.Parallel()
	bare := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7"}}
	noted := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7", Annotations: map[string]string{"a/b~c": "1"}}}
	const precondition = `{"op":"add","path":"/metadata/resourceVersion","value":"7"}`
	for name, test := range map[string]struct {
		d    *appsv1.Deployment
		fill func(p *patch)
		want string
	}{
		"only the precondition":           {bare, func(*patch) {}, ""},
		"the first annotation":            {bare, func(p *patch) { p.annotate("k", "v") }, `,{"op":"add","path":"/metadata/annotations","value":{"k":"v"}}`},
		"another annotation":              {noted, func(p *patch) { p.annotate("x/y", "v") }, `,{"op":"add","path":"/metadata/annotations","value":{"a/b~c":"1","x/y":"v"}}`},
		"removing one":                    {noted, func(p *patch) { p.annotate("a/b~c", "") }, `,{"op":"add","path":"/metadata/annotations","value":null}`},
		"removing one that is not there":  {noted, func(p *patch) { p.annotate("z", "") }, ""},
		"removing from none":              {bare, func(p *patch) { p.annotate("z", "") }, ""},
		"a template":                      {bare, func(p *patch) { p.template(podtemplate.Template{"future": true}) }, `,{"op":"add","path":"/spec/template","value":{"future":true}}`},
		"two annotations where none were": {bare, func(p *patch) { p.annotate("k", "v"); p.annotate("l", "w") }, `,{"op":"add","path":"/metadata/annotations","value":{"k":"v"}},{"op":"add","path":"/metadata/annotations","value":{"k":"v","l":"w"}}`},
		"settings": {
			bare, func(p *patch) { p.settings(settingsWith(intstr.FromInt32(1), intstr.FromString("10%"), 5)) },
			`,{"op":"add","path":"/spec/strategy","value":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"10%","maxSurge":1}}}` +
				`,{"op":"add","path":"/spec/minReadySeconds","value":5},{"op":"add","path":"/spec/progressDeadlineSeconds","value":600}`,
		},
	} {
		p := newPatch(test.d)
		test.fill(p)
		if body, err := p.body(); err != nil || string(body) != "["+precondition+test.want+"]" {
			t.Errorf("%s: %s, %v", name, body, err)
		}
	}
	if len(bare.Annotations) != 0 || len(noted.Annotations) != 1 {
		t.Error("a patch changed the Deployment it is for")
	}
}

// What others write to annotations of their own is kept, and no reason to refuse the patch.
func TestGatePatchWritesEachAnnotationByItself(t *testing.T) {
	t.Parallel()
	live := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		UID: "u", Generation: 1, ResourceVersion: "7", Annotations: map[string]string{Annotation: "r", "a/b~c": "1", "other": "1"},
	}}
	for name, test := range map[string]struct {
		meanwhile func(annotations map[string]string)
		refused   bool
	}{
		"another is changed":      {func(a map[string]string) { a["other"] = "2" }, false},
		"the removed one is gone": {func(a map[string]string) { delete(a, "a/b~c") }, true},
	} {
		p := newGatePatch(&live)
		p.annotate("a/b~c", "")
		p.annotate("x/y", "v")
		p.withoutRecord()
		body, err := p.body()
		if err != nil {
			t.Fatal(err)
		}
		w := &world{d: live.DeepCopy()}
		test.meanwhile(w.d.Annotations)
		patched, err := w.patchDeployment(body, true)
		if refused := apierrors.IsConflict(p.refused(err)); refused != test.refused {
			t.Fatalf("%s: refused: %v (%v), want %v", name, refused, err, test.refused)
		}
		if err == nil && (len(patched.Annotations) != 2 || patched.Annotations["other"] != "2" || patched.Annotations["x/y"] != "v") {
			t.Errorf("%s: annotations afterwards: %v", name, patched.Annotations)
		}
	}
}

func TestGatedSettingsAreValid(t *testing.T) {
	t.Parallel()
	settings := gated(Width{Surge: 1}.Strategy(3, limitsOf("1", "0")))
	d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{
		Strategy: settings.Strategy, MinReadySeconds: settings.MinReadySeconds, ProgressDeadlineSeconds: settings.ProgressDeadlineSeconds,
	}}
	if err := validDeployment(d); err != nil {
		t.Error(err)
	}
}

func TestGatePatchPreconditions(t *testing.T) {
	t.Parallel()
	record := &Record{SchemaVersion: recordVersion, ToRevision: 2, Plan: plan.Plan{Steps: plan.DefaultSteps()}, Step: 1}
	text, err := record.encode()
	if err != nil {
		t.Fatal(err)
	}
	live := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		Name: "web", UID: "u", Generation: 4, ResourceVersion: "7", Annotations: map[string]string{Annotation: text, "other": "kept"},
	}}
	for name, test := range map[string]struct {
		meanwhile func(d *appsv1.Deployment)
		refused   bool
	}{
		"nothing":             {func(*appsv1.Deployment) {}, false},
		"a new status":        {func(d *appsv1.Deployment) { d.ResourceVersion, d.Status.Replicas = "8", 3 }, false},
		"another label":       {func(d *appsv1.Deployment) { d.ResourceVersion, d.Labels = "8", map[string]string{"a": "b"} }, false},
		"another spec":        {func(d *appsv1.Deployment) { d.ResourceVersion, d.Generation = "8", 5 }, true},
		"another record":      {func(d *appsv1.Deployment) { d.Annotations[Annotation] = "x" }, true},
		"no record":           {func(d *appsv1.Deployment) { delete(d.Annotations, Annotation) }, true},
		"another of its name": {func(d *appsv1.Deployment) { d.UID = "v" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newGatePatch(&live)
			next := *record
			next.Step = 2
			if err := p.record(&next); err != nil {
				t.Fatal(err)
			}
			body, err := p.body()
			if err != nil {
				t.Fatal(err)
			}
			w := &world{d: live.DeepCopy()}
			test.meanwhile(w.d)
			patched, err := w.patchDeployment(body, true)
			answer := p.refused(err)
			if refused := apierrors.IsConflict(answer); refused != test.refused {
				t.Fatalf("refused: %v (%v), want %v", refused, err, test.refused)
			}
			if text := fmt.Sprint(answer); test.refused && !strings.Contains(text, `deployments.apps "web": the object has been modified`) {
				t.Errorf("the conflict reads %s", text)
			}
			if err == nil && (patched.Annotations["other"] != "kept" || patched.Annotations[Annotation] == text) {
				t.Errorf("annotations afterwards: %v", patched.Annotations)
			}
		})
	}
	invalid := apierrors.NewInvalid(appsv1.SchemeGroupVersion.WithKind("Deployment").GroupKind(), "web", nil)
	if err := newGatePatch(&live).refused(invalid); !apierrors.IsInvalid(err) {
		t.Errorf("an invalid Deployment is taken for a conflict: %v", err)
	}
}
