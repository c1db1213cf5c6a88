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

// Elsewhere returns why a pod template has to keep the plain name of an object, or "" if nothing says so. The reason is that
// the workload's manifest lives elsewhere: the next apply would set the plain name again. own is the field manager that this
// program writes as.
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

// NamesPlainly reports whether a container gets configuration from the object by its plain name.
func NamesPlainly(spec *corev1.PodSpec, head Object) bool {
	return slices.ContainsFunc(References(spec), func(r Reference) bool { return r.Object == head && r.Configures() })
}

// applier returns a field manager that applies the template, or one of the known tools that updates it. It ignores this
// program's own updates, as with versions. It counts this program's applies, as with start -f, since those are repeated.
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
