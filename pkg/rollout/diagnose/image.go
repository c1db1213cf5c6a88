package diagnose

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// pull finds out from the kubelet's text why an image cannot be pulled. Older kubelets give the text only in an event.
func (d *diagnosis) pull(pod *corev1.Pod, status *corev1.ContainerStatus, s *signal) {
	fails := func(e *corev1.Event) bool {
		return e.Reason == "Failed" && containerOf(e) == status.Name && strings.HasPrefix(e.Message, "Failed to pull image")
	}
	event := d.event(pod, fails)
	if _, cause, found := strings.Cut(s.message, ": ErrImagePull: "); found {
		s.message = cause
	}
	s.next = pullsAgainBy(pod)
	if event != nil {
		s.since, s.last = d.firstOf(pod, fails), lastTold(event)
		if pullCause(s.message) == ImagePullFailed {
			s.message = event.Message
		}
	}
	s.id = pullCause(s.message)
	if absent := d.event(pod, func(e *corev1.Event) bool { return e.Reason == "FailedToRetrieveImagePullSecret" }); absent != nil {
		s.evidence = append(s.evidence, absent.Message)
	}
	if s.id == ImagePullDenied {
		s.evidence = append(s.evidence, pulledWith(pod))
	}
	if s.id == RegistryUnavailable || s.id == ImagePullFailed {
		s.why = "a pull that fails may be chance; the kubelet tries again within 30s"
		switch {
		case d.pullsAgain(pod, status.Name, event):
			s.grace, s.why = max(d.Deadline, recent), "the image is being pulled again"
		case d.Blind:
			s.grace, s.why = max(d.Deadline, recent), "whether the image is being pulled again only events tell, which cannot be read"
		}
	}
}

// pulledWith names the pod's image pull secrets. Registries do not distinguish missing credentials from wrong ones, but this
// does.
func pulledWith(pod *corev1.Pod) string {
	names := make([]string, len(pod.Spec.ImagePullSecrets))
	for i, secret := range pod.Spec.ImagePullSecrets {
		names[i] = secret.Name
	}
	if len(names) == 0 {
		return "the pod has no imagePullSecrets"
	}
	return "imagePullSecrets of the pod: " + strings.Join(names, ", ")
}

// firstOf returns when the first of a pod's wanted events came. Texts that differ with every attempt make a separate event of
// each. Events from before the pod lost its readiness do not count.
func (d *diagnosis) firstOf(pod *corev1.Pod, wanted func(*corev1.Event) bool) time.Time {
	var first time.Time
	unready := notReady(pod)
	for _, event := range d.events[pod.UID] {
		since := began(event)
		if unready != nil && event.LastTimestamp.Before(&unready.LastTransitionTime) {
			continue
		}
		if wanted(event) && (first.IsZero() || since.Before(first)) {
			first = since
		}
	}
	if unready != nil {
		first = latest(first, unready.LastTransitionTime.Time)
	}
	return first
}

// pullsAgain reports whether a pull is under way after a failed one. A large image takes long, and the container's status does
// not change meanwhile.
func (d *diagnosis) pullsAgain(pod *corev1.Pod, container string, failed *corev1.Event) bool {
	pulling := d.event(pod, func(e *corev1.Event) bool { return e.Reason == "Pulling" && containerOf(e) == container })
	return failed != nil && pulling != nil && failed.LastTimestamp.Before(&pulling.LastTimestamp)
}

// PullFails reports whether an image of a pod could not be pulled.
func PullFails(pod *corev1.Pod) bool {
	return slices.ContainsFunc(ContainerStatuses(pod), func(status corev1.ContainerStatus) bool {
		waiting := status.State.Waiting
		return waiting != nil && isPull(waiting.Reason)
	})
}

// TriesAgain reports whether the kubelet could not start a container and tries again. Only events show how often.
func TriesAgain(pod *corev1.Pod) bool {
	return slices.ContainsFunc(ContainerStatuses(pod), func(status corev1.ContainerStatus) bool {
		waiting := status.State.Waiting
		return waiting != nil && !slices.Contains([]string{"", "ContainerCreating", "PodInitializing", "CrashLoopBackOff"}, waiting.Reason)
	})
}

// isPull reports whether a reason is one of the kubelet's words for a failed pull. Few runtimes use RegistryUnavailable, and
// only until the kubelet waits before the next attempt.
func isPull(reason string) bool {
	return reason == "ErrImagePull" || reason == "ImagePullBackOff" || reason == RegistryUnavailable
}

// pullCause finds the cause in the words of registries and container runtimes.
func pullCause(text string) string {
	// A failure of the node's disk is not the registry's fault.
	text = strings.ReplaceAll(strings.ToLower(text), "permission denied", "")
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(text, word) {
				return true
			}
		}
		return false
	}
	switch {
	case has("signaturevalidationfailed", "because the signature validation failed"):
		return SignatureValidationFailed
	case has("401 unauthorized", "403 forbidden", "unauthorized:", "authorization failed", "access denied", "insufficient_scope",
		"no basic auth credentials", "authentication required", "denied:",
		"access to the resource is denied"):
		return ImagePullDenied
	case has("no such host", "connection refused", "i/o timeout", "deadline exceeded", "client.timeout exceeded", "tls:", "tls handshake", "connection reset",
		"network is unreachable", "no route to host", "x509:", "toomanyrequests", "429 too many", "500 internal", "502 bad",
		"503 service", "504 gateway", "unexpected eof", "\": eof", "registryunavailable", "registry is unavailable",
		"server misbehaving", "temporary failure in name resolution", "server gave http response to https client"):
		return RegistryUnavailable
	case has("no match for platform", "no match for current platform", "no matching manifest for", "no image found in manifest list for",
		"no image found in image index for"):
		return ImagePlatformMissing
	case has("failed to unpack image", "extract layer", "content digest", "failed to copy"):
		return ImagePullFailed // the image exists, but a part of it is missing on the node or at a mirror
	case has("manifest unknown", "name unknown", "404 not found", "code = notfound", ": not found", "manifest for "):
		return ImageNotFound
	}
	return ImagePullFailed
}
