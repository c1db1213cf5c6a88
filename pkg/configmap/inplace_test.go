package configmap

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestElsewhere(t *testing.T) {
	t.Parallel()
	const own, earlier = "rollout-plus", "kubectl-rollout-plus"
	managed := func(manager string, operation metav1.ManagedFieldsOperationType, subresource, fields string) metav1.ObjectMeta {
		entry := metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, Subresource: subresource, FieldsV1: metav1.NewFieldsV1(fields)}
		return metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "other", Operation: metav1.ManagedFieldsOperationApply}, entry}}
	}
	const apply, update = metav1.ManagedFieldsOperationApply, metav1.ManagedFieldsOperationUpdate
	const template, replicas = `{"f:spec":{"f:template":{"f:spec":{}}}}`, `{"f:spec":{"f:replicas":{}}}`
	applied := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Annotations: map[string]string{
			corev1.LastAppliedConfigAnnotation: `{"spec":{"template":{"spec":{"volumes":[{"name":"v","configMap":{"name":"` + name + `"}}]}}}}`,
		}}
	}
	for name, c := range map[string]struct {
		object metav1.ObjectMeta
		want   string
	}{
		"nothing":                    {metav1.ObjectMeta{}, ""},
		"Helm":                       {metav1.ObjectMeta{Annotations: map[string]string{"meta.helm.sh/release-name": "web"}}, "Helm manages it"},
		"Argo CD":                    {metav1.ObjectMeta{Labels: map[string]string{"argocd.argoproj.io/instance": "web"}}, "Argo CD manages it"},
		"Flux":                       {metav1.ObjectMeta{Labels: map[string]string{"kustomize.toolkit.fluxcd.io/name": "web"}}, "Flux manages it"},
		"who applies":                {managed("ci", apply, "", template), `the field manager "ci" applies its template`},
		"who applies something else": {managed("ci", apply, "", replicas), ""},
		"who applies a subresource":  {managed("ci", apply, "status", template), ""},
		"who updates":                {managed("kubectl-edit", update, "", template), ""},
		"a tool that updates":        {managed("Helm", update, "", template), `the field manager "Helm" applies its template`},
		"this program, with start":   {managed(own, apply, "", template), `the field manager "rollout-plus" applies its template`},
		"an earlier version of it":   {managed(earlier, apply, "", template), `the field manager "kubectl-rollout-plus" applies its template`},
		"this program, with others":  {managed(own, update, "", template), ""},
		"kubectl apply":              {applied("web"), "kubectl apply has set the plain name"},
		"kubectl apply of another":   {applied("other"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Elsewhere(&c.object, mounting("web"), Object{ConfigMap, "web"}, own); got != c.want {
				t.Errorf("got %q", got)
			}
			if got := Elsewhere(&c.object, mounting("web-m8mt92gg65"), Object{ConfigMap, "web"}, own); got != "" {
				t.Errorf("with a version, got %q", got)
			}
		})
	}
}
