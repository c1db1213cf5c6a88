package podtemplate

import (
	corev1 "k8s.io/api/core/v1"
)

// ImagesOf is Images for a typed template.
func ImagesOf(template *corev1.PodTemplateSpec) []string {
	images := make([]string, len(template.Spec.Containers))
	for i := range template.Spec.Containers {
		images[i] = template.Spec.Containers[i].Image
	}
	return images
}

// Images returns the images of a pod template's containers, in their order.
func Images(template Template) []string {
	var images []string
	for _, container := range template.Containers("containers") {
		if image, ok := container["image"].(string); ok {
			images = append(images, image)
		}
	}
	return images
}
