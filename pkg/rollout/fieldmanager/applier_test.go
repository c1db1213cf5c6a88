package fieldmanager

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAppliedBy(t *testing.T) {
	t.Parallel()
	managed := func(manager, subresource string) metav1.ObjectMeta {
		return metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{{Manager: manager, Subresource: subresource}}}
	}
	marked := func(labels, annotations map[string]string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Labels: labels, Annotations: annotations}
	}
	type words map[string]string
	for name, c := range map[string]struct {
		object metav1.ObjectMeta
		want   []string
	}{
		"nobody":  {metav1.ObjectMeta{}, nil},
		"kubectl": {managed("kubectl-client-side-apply", ""), nil},
		"Flux": {
			marked(words{"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}, nil),
			[]string{"Flux (kustomization apps)", "next sync", "'flux suspend kustomization apps -n flux-system'"},
		},
		"a Flux release": {
			marked(words{"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "a"}, words{"meta.helm.sh/release-name": "web"}),
			[]string{"Flux (helmrelease web)"},
		},
		"Flux's manager": {managed("kustomize-controller", ""), []string{"Flux:"}},
		"Argo CD": {
			marked(nil, words{"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:a/web"}),
			[]string{"Argo CD (application shop)", "self-heal", "'argocd app set shop --sync-policy none'"},
		},
		"Argo's label":   {marked(words{"argocd.argoproj.io/instance": "shop"}, nil), []string{"Argo CD (application shop)"}},
		"Argo's manager": {managed("argocd-controller", ""), []string{"Argo CD:"}},
		"Argo's status":  {managed("argocd-controller", "status"), nil},
		"Argo with Helm": {marked(words{"app.kubernetes.io/managed-by": "Helm"}, words{"argocd.argoproj.io/tracking-id": "shop:x"}), []string{"Argo CD"}},
		"Helm":           {marked(nil, words{"meta.helm.sh/release-name": "web"}), []string{"Helm (release web)", "next upgrade"}},
		"Helm's label":   {marked(words{"app.kubernetes.io/managed-by": "Helm"}, nil), []string{"Helm:"}},
		"Helm's manager": {managed("helm", ""), []string{"Helm:"}},
		"an operator": {
			metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Kind: "Shop", Name: "a", Controller: new(true)}}},
			[]string{"applied by Shop a: its controller"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := AppliedBy(&c.object)
			if (got == nil) != (c.want == nil) {
				t.Fatalf("got %+v", got)
			}
			if got == nil {
				return
			}
			text := got.Warning(`deployment "web"`)
			for _, want := range append(c.want, `deployment "web" is applied by `) {
				if !strings.Contains(text, want) {
					t.Errorf("%s lacks %s", text, want)
				}
			}
		})
	}
}
