package diagnose

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// pull tells by the kubelet's text why an image cannot be pulled. Older kubelets say it in an event alone.
func (d *diagnosis) pull(pod *corev1.Pod, status *corev1.ContainerStatus, s *signal) {
	event := d.event(pod, func(e *corev1.Event) bool {
		return e.Reason == "Failed" && containerOf(e) == status.Name && strings.HasPrefix(e.Message, "Failed to pull image")
	})
	if _, cause, found := strings.Cut(s.message, ": ErrImagePull: "); found {
		s.message = cause
	}
	if event != nil {
		s.since = began(event)
		if pullCause(s.message) == ImagePullFailed {
			s.message = event.Message
		}
	}
	s.id = pullCause(s.message)
	if absent := d.event(pod, func(e *corev1.Event) bool { return e.Reason == "FailedToRetrieveImagePullSecret" }); absent != nil {
		s.evidence = append(s.evidence, absent.Message)
	}
	if s.id == RegistryUnavailable || s.id == ImagePullFailed {
		s.why = "a pull that fails may be chance; the kubelet tries again within 30s"
	}
}

// pullCause sorts what registries and container runtimes say.
func pullCause(text string) string {
	text = strings.ToLower(text)
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(text, word) {
				return true
			}
		}
		return false
	}
	switch {
	case has("401 unauthorized", "403 forbidden", "unauthorized:", "authorization failed", "access denied", "insufficient_scope",
		"no basic auth credentials", "authentication required", "denied:"):
		return ImagePullDenied
	case has("no such host", "connection refused", "i/o timeout", "deadline exceeded", "tls handshake", "connection reset",
		"network is unreachable", "no route to host", "x509:", "toomanyrequests", "429 too many", "500 internal", "502 bad",
		"503 service", "504 gateway", "unexpected eof", "registryunavailable", "server misbehaving"):
		return RegistryUnavailable
	case has("failed to unpack image", "extract layer", "content digest", "failed to copy"):
		return ImagePullFailed // the image is there; a part of it was not, on the node or at a mirror
	case has("manifest unknown", "name unknown", "404 not found", "code = notfound", ": not found", "manifest for "):
		return ImageNotFound
	}
	return ImagePullFailed
}
