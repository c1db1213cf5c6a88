package fieldmanager

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Applier is a tool that will apply the manifest of an object again, by itself or with its next release.
type Applier struct {
	// Tool is Argo CD, Flux or Helm, or the kind of the object's controller.
	Tool string
	// Source is what the tool makes the object from, or "" if it is not known.
	Source string
	// Sync says what the tool does next. {fields} stands for the fields that it sets again.
	Sync string
}

// AppliedBy returns the tool that applies an object, or nil if none is known. The tools mark their objects with labels and
// annotations, and most write as a field manager of their own.
func AppliedBy(object metav1.Object) *Applier {
	labels, annotations := object.GetLabels(), object.GetAnnotations()
	tracking, instance := annotations["argocd.argoproj.io/tracking-id"], labels["argocd.argoproj.io/instance"]
	application, _, _ := strings.Cut(tracking, ":")
	switch {
	case tracking != "":
		return argo(application)
	case instance != "":
		return argo(instance)
	case labels["kustomize.toolkit.fluxcd.io/name"] != "":
		return flux("kustomization", labels["kustomize.toolkit.fluxcd.io/name"], labels["kustomize.toolkit.fluxcd.io/namespace"])
	case labels["helm.toolkit.fluxcd.io/name"] != "":
		return flux("helmrelease", labels["helm.toolkit.fluxcd.io/name"], labels["helm.toolkit.fluxcd.io/namespace"])
	case annotations["meta.helm.sh/release-name"] != "":
		return helm(annotations["meta.helm.sh/release-name"])
	}
	if owner := metav1.GetControllerOfNoCopy(object); owner != nil {
		return &Applier{Tool: owner.Kind, Source: owner.Kind + " " + owner.Name, Sync: "its controller sets the fields that it manages again, at any time"}
	}
	for _, entry := range object.GetManagedFields() {
		switch name := strings.ToLower(entry.Manager); {
		case entry.Subresource != "":
		case slices.Contains([]string{"argocd-controller", "argocd-application-controller"}, name):
			return argo("")
		case slices.Contains([]string{"kustomize-controller", "helm-controller"}, name):
			return flux("", "", "")
		case name == "helm":
			return helm("")
		}
	}
	if labels["app.kubernetes.io/managed-by"] == "Helm" {
		return helm("")
	}
	return nil
}

func argo(application string) *Applier {
	a := &Applier{Tool: "Argo CD", Sync: "its next sync sets {fields} of the manifest again; with self-heal that takes seconds"}
	if application != "" {
		a.Source = "application " + application
		a.Sync += fmt.Sprintf("; 'argocd app set %s --sync-policy none' stops that", application)
	}
	return a
}

func flux(kind, name, namespace string) *Applier {
	a := &Applier{Tool: "Flux", Sync: "its next sync, at the end of its interval, sets {fields} of the manifest again"}
	if name != "" {
		a.Source = kind + " " + name
		a.Sync += fmt.Sprintf("; 'flux suspend %s %s -n %s' stops that", kind, name, namespace)
	}
	return a
}

func helm(release string) *Applier {
	a := &Applier{Tool: "Helm", Sync: "its next upgrade sets {fields} of the chart again"}
	if release != "" {
		a.Source = "release " + release
	}
	return a
}

// Warning returns one line that names the tool which applies a workload, and says what will happen to a change.
func (a *Applier) Warning(object string) string {
	return a.warning(object, "the image and the strategy")
}

// DataWarning returns the same warning for a ConfigMap or Secret.
func (a *Applier) DataWarning(object string) string { return a.warning(object, "the data") }

func (a *Applier) warning(object, fields string) string {
	by := a.Tool
	switch {
	case a.Source == "":
	case strings.HasPrefix(a.Source, a.Tool):
		by = a.Source
	default:
		by = fmt.Sprintf("%s (%s)", a.Tool, a.Source)
	}
	return fmt.Sprintf("%s is applied by %s: %s", object, by, strings.ReplaceAll(a.Sync, "{fields}", fields))
}
