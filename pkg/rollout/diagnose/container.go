package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// nodesGrace is the grace for a container that its node may still manage to create or start.
const nodesGrace = 30 * time.Second

// container returns the signals of one container.
func (d *diagnosis) container(pod *corev1.Pod, status *corev1.ContainerStatus, isInit bool) []signal {
	var s *signal
	state := status.State
	ended := state.Terminated
	isSidecar := isInit && isSidecar(pod, status.Name)
	switch {
	case isPassing(pod, status):
		return nil
	case state.Waiting != nil:
		s = d.waiting(pod, status, isInit && !isSidecar)
	case ended != nil && mustRun(pod, status.Name) && !startsAgain(pod, status.Name, ended):
		s = d.endedForGood(pod, status)
	case ended != nil && (ended.ExitCode != 0 || !isInit):
		s = d.ended(pod, status, isInit && !isSidecar)
	case state.Running != nil:
		s = d.running(pod, status, isInit && !isSidecar)
	}
	if s == nil {
		return nil
	}
	s.container, s.status = status.Name, status
	return []signal{*s}
}

// isPassing reports whether a container's state is about to pass. Its node or the pod's own rules start it again, or the pod is
// ready already.
func isPassing(pod *corev1.Pod, status *corev1.ContainerStatus) bool {
	waiting := status.State.Waiting
	if waiting == nil {
		return isExcused(pod, status.Name, status.State.Terminated)
	}
	return waiting.Reason == restartingAll || isWell(pod) // no container of a ready pod waits; the status is outdated
}

// ended describes a container that has just ended. The kubelet starts it again at once, and later waits longer each time.
func (d *diagnosis) ended(pod *corev1.Pod, status *corev1.ContainerStatus, isInit bool) *signal {
	s := d.crashed(pod, status, isInit)
	if s.now = d.runs(pod, status) >= loops && !ranLong(status.State.Terminated); !s.now && d.cause(s.id).Class == EndsNow {
		s.once()
	}
	return s
}

// endedForGood describes a container that is not started again. Its pod is never ready.
func (d *diagnosis) endedForGood(pod *corev1.Pod, status *corev1.ContainerStatus) *signal {
	s := d.crashed(pod, status, false)
	if s.id == CrashLoopBackOff {
		s.id = ContainerEnded
	}
	s.message, s.now = s.message+"; its restart policy does not start it again, so the pod is never ready", true
	s.attempt = attempt{} // there is no other
	return s
}

// once turns the signal of a container that has ended only once into a warning. The cause becomes evidence, except
// CrashLoopBackOff, since one end is no loop.
func (s *signal) once() {
	if s.id != CrashLoopBackOff {
		s.evidence = append(s.evidence, s.id)
	}
	s.id = ContainerRestarted
}

// byRule turns the signal of a container that the kubelet is about to start again into that of an intended end.
func (s *signal) byRule(grace time.Duration) {
	s.id, s.reason = RestartedByRule, RestartedByRule
	s.message += ", as one of its restart rules intends; the kubelet starts it again after a pause, and the pod is not ready until then"
	s.grace, s.why = grace, "that is no failure by itself; the pod is given the progress deadline to become ready"
}

// isSidecar reports whether an init container keeps running. Other init containers have to end.
func isSidecar(pod *corev1.Pod, name string) bool {
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; c.Name == name {
			return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		}
	}
	return false
}

// waiting explains why a container does not run. The words are the kubelet's (pkg/kubelet/images/types.go and
// pkg/kubelet/container/sync_result.go).
func (d *diagnosis) waiting(pod *corev1.Pod, status *corev1.ContainerStatus, isInit bool) *signal {
	waiting := status.State.Waiting
	s := &signal{id: waiting.Reason, reason: waiting.Reason, message: waiting.Message}
	d.attempts(pod, status, s)
	switch waiting.Reason {
	case "", "ContainerCreating", "PodInitializing":
		return nil
	case "CrashLoopBackOff":
		s = d.crashed(pod, status, isInit)
		s.reason, s.now = waiting.Reason, true
		if isIntended(pod, status.Name, lastEnd(status)) {
			s.byRule(d.patience())
		}
	case "ErrImagePull", "ImagePullBackOff", RegistryUnavailable:
		d.pull(pod, status, s)
	case "InvalidImageName":
		s.next = nil // that does not change
	case "ErrImageNeverPull", "ImageInspectError", "SignatureValidationFailed":
	case "PostStartHookError":
		if status.RestartCount == 0 { // like a container that has ended once
			s.id, s.evidence = ContainerRestarted, []string{PostStartHookError}
		}
	case "CreateContainerConfigError":
		return config(pod, s)
	case "CreateContainerError":
		s.notCreated()
	case "RunContainerError", "PreStartHookError", "PreCreateHookError":
		s.id = RunContainerError
		s.proven = d.runs(pod, status) > 0
		s.notRun()
	default:
		s.id = Undetermined
	}
	return s
}

// attempts adds when the kubelet last tried what a container waits for.
func (d *diagnosis) attempts(pod *corev1.Pod, status *corev1.ContainerStatus, s *signal) {
	waiting := status.State.Waiting
	told := d.event(pod, func(e *corev1.Event) bool {
		return e.Reason == "Failed" && containerOf(e) == status.Name && waiting.Message != "" && strings.HasSuffix(e.Message, waiting.Message)
	})
	s.next = within(kubeletSync)
	if told != nil {
		s.since, s.last = began(told), lastTold(told)
	}
}

// notCreated gives time to a container that a node under load has not created yet.
func (s *signal) notCreated() {
	if strings.Contains(s.message, "deadline exceeded") || strings.Contains(s.message, "is reserved for") {
		s.grace, s.why = nodesGrace, fmt.Sprintf("a container that takes long to be created is given %s", nodesGrace)
	}
}

// notRun gives time to a container that could not be started, unless its command cannot be run. Any other failure may be due to
// its node, which is under load or short of something. If the command is at fault, runtimes mention exec or an executable.
func (s *signal) notRun() {
	text := strings.ToLower(s.message)
	is := func(words string) bool { return strings.Contains(text, words) }
	isBad := is("no such file or directory") || is("not found in $path") || is("permission denied") || is("exec format error") || is("is a directory")
	if !isBad || !is("exec") {
		s.grace, s.why = nodesGrace, fmt.Sprintf("a container that its node may have failed to start is given %s", nodesGrace)
	}
}

// config finds what is missing from a container's configuration.
func config(pod *corev1.Pod, s *signal) *signal {
	if strings.Contains(s.message, "failed to sync") {
		return nil // the object exists, but the kubelet has not fetched it yet
	}
	missing(pod, s, "")
	return s
}

// missing recognizes missing objects and keys in the kubelet's words. volume is the volume of a failed mount.
func missing(pod *corev1.Pod, s *signal, volume string) {
	text := s.message
	switch {
	case named(text, `configmap "`, `" not found`) != "":
		s.id, s.subject = ConfigMapNotFound, named(text, `configmap "`, `" not found`)
	case named(text, `secret "`, `" not found`) != "":
		s.id, s.subject = SecretNotFound, named(text, `secret "`, `" not found`)
	case named(text, `persistentvolumeclaim "`, `" not found`) != "":
		s.id, s.subject = PersistentVolumeClaimNotFound, named(text, `persistentvolumeclaim "`, `" not found`)
	case strings.Contains(text, "couldn't find key ") && strings.Contains(text, " in ConfigMap "):
		s.id, s.subject = ConfigMapKeyNotFound, lastPart(text)
	case strings.Contains(text, "couldn't find key ") && strings.Contains(text, " in Secret "):
		s.id, s.subject = SecretKeyNotFound, lastPart(text)
	case strings.Contains(text, "references non-existent config key"):
		s.id, s.subject = ConfigMapKeyNotFound, sourceOf(pod, volume, lastWord(text))
	case strings.Contains(text, "references non-existent secret key"):
		s.id, s.subject = SecretKeyNotFound, sourceOf(pod, volume, lastWord(text))
	}
}

// named returns the text between two other texts, or "" if one of them is missing.
func named(text, before, after string) string {
	_, rest, found := strings.Cut(text, before)
	if !found {
		return ""
	}
	name, _, found := strings.Cut(rest, after)
	if !found {
		return ""
	}
	return name
}

// lastPart returns the name in "... namespace/name".
func lastPart(text string) string { return text[strings.LastIndex(text, "/")+1:] }

// lastWord returns the key in "... non-existent config key: key".
func lastWord(text string) string { return strings.TrimSpace(text[strings.LastIndex(text, ":")+1:]) }

// sourceOf returns the ConfigMap or Secret that a volume is made of. For a projected volume it returns the source that is to
// have the key, or "" if there is not exactly one.
func sourceOf(pod *corev1.Pod, volume, key string) string {
	for i := range pod.Spec.Volumes {
		switch v := &pod.Spec.Volumes[i]; {
		case v.Name != volume:
		case v.ConfigMap != nil:
			return v.ConfigMap.Name
		case v.Secret != nil:
			return v.Secret.SecretName
		case v.Projected != nil:
			return projectedFrom(v.Projected.Sources, key)
		}
	}
	return ""
}

func projectedFrom(sources []corev1.VolumeProjection, key string) string {
	var found []string
	wants := func(name string, items []corev1.KeyToPath) {
		if slices.ContainsFunc(items, func(item corev1.KeyToPath) bool { return item.Key == key }) {
			found = append(found, name)
		}
	}
	for i := range sources {
		switch source := &sources[i]; {
		case source.ConfigMap != nil:
			wants(source.ConfigMap.Name, source.ConfigMap.Items)
		case source.Secret != nil:
			wants(source.Secret.Name, source.Secret.Items)
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}
