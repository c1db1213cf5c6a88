package configmap

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
)

// Elsewhere tells why a pod template has to keep the plain name of a head, empty where nothing says so: its manifest lives
// elsewhere, and the next apply of that would set the plain name again. Own is the manager that this program writes as.
func Elsewhere(object metav1.Object, template *corev1.PodTemplateSpec, head Object, own string) string {
	if !NamesPlainly(&template.Spec, head) {
		return ""
	}
	labels, annotations := object.GetLabels(), object.GetAnnotations()
	switch {
	case annotations["meta.helm.sh/release-name"] != "", labels["app.kubernetes.io/managed-by"] == "Helm":
		return "Helm manages it"
	case annotations["argocd.argoproj.io/tracking-id"] != "", labels["argocd.argoproj.io/instance"] != "":
		return "Argo CD manages it"
	case labels["kustomize.toolkit.fluxcd.io/name"] != "", labels["helm.toolkit.fluxcd.io/name"] != "":
		return "Flux manages it"
	}
	if name := applier(object.GetManagedFields(), own); name != "" {
		return fmt.Sprintf("the field manager %q applies its template", name)
	}
	var applied struct {
		Spec struct {
			Template corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	text := annotations[corev1.LastAppliedConfigAnnotation]
	if text != "" && json.Unmarshal([]byte(text), &applied) == nil && NamesPlainly(&applied.Spec.Template.Spec, head) {
		return "kubectl apply has set the plain name"
	}
	return ""
}

// NamesPlainly tells whether a container gets something from the object by its own name.
func NamesPlainly(spec *corev1.PodSpec, head Object) bool {
	return slices.ContainsFunc(References(spec), func(r Reference) bool { return r.Object == head && r.Configures() })
}

// applier is a manager that applies the template, or one of the known tools that updates it. What this program has applied,
// as with start -f, it applies again; what it has updated, as with versions, it does not.
func applier(entries []metav1.ManagedFieldsEntry, own string) string {
	tools := []string{"helm", "argocd-controller", "argocd-application-controller", "kustomize-controller", "helm-controller"}
	for i := range entries {
		entry := &entries[i]
		applies := entry.Operation == metav1.ManagedFieldsOperationApply ||
			!fieldmanager.IsOwn(entry.Manager, own) && slices.Contains(tools, strings.ToLower(entry.Manager))
		if !applies || entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Spec struct {
				Template map[string]any `json:"f:template"`
			} `json:"f:spec"`
		}
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) == nil && fields.Spec.Template != nil {
			return entry.Manager
		}
	}
	return ""
}
