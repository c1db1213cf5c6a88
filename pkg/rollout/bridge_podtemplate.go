package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	moved "github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// TemplateOfRevision stands for moved.OfRevision.
func TemplateOfRevision(of *appsv1.ControllerRevision) (*corev1.PodTemplateSpec, bool, error) {
	return moved.OfRevision(of)
}

// recordedTemplate stands for moved.RawOfRevision.
func recordedTemplate(of *appsv1.ControllerRevision) (rawTemplate, error) {
	return moved.RawOfRevision(of)
}

// RestartedAtAnnotation stands for moved.RestartedAtAnnotation.
const RestartedAtAnnotation = moved.RestartedAtAnnotation

// RestartedAt stands for moved.RestartedAt.
func RestartedAt(template *corev1.PodTemplateSpec, now time.Time) string {
	return moved.RestartedAt(template, now)
}

// onlyRestarted stands for moved.OnlyRestarted.
func onlyRestarted(a, b *corev1.PodTemplateSpec) bool { return moved.OnlyRestarted(a, b) }

// imagesIn stands for moved.ImagesOf.
func imagesIn(template *corev1.PodTemplateSpec) []string { return moved.ImagesOf(template) }

// imagesOf stands for moved.Images.
func imagesOf(template rawTemplate) []string { return moved.Images(template) }

// sameJSON stands for moved.SameJSON.
func sameJSON(a, b any) bool { return moved.SameJSON(a, b) }

// convert stands for moved.Convert.
func convert(object *unstructured.Unstructured, into any) error { return moved.Convert(object, into) }

// rawTemplate stands for moved.Template.
type rawTemplate = moved.Template

// templateOf stands for moved.Of.
func templateOf(object *unstructured.Unstructured) (rawTemplate, error) { return moved.Of(object) }

// ImageChange stands for moved.ImageChange.
type ImageChange = moved.ImageChange

// EnvChange stands for moved.EnvChange.
type EnvChange = moved.EnvChange

// Written stands for moved.Written.
func Written(template map[string]any) map[string]any { return moved.Written(template) }

// copyJSON stands for moved.CopyJSON.
func copyJSON(value any) any { return moved.CopyJSON(value) }
