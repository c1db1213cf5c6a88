package preflight

import (
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// imageName matches an image reference: [host[:port]/]path[:tag][@digest].
var imageName = regexp.MustCompile(`^(?:(?:[a-zA-Z0-9][a-zA-Z0-9.-]*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?` +
	`[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*` +
	`(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,})?$`)

// defaultContainer is the annotation that names the container which kubectl uses if none is given.
const defaultContainer = "kubectl.kubernetes.io/default-container"

func imageReference(in *Input) Result {
	for _, c := range containers(template(in)) {
		if !imageName.MatchString(c.Image) {
			return fail(ImageReference, "container %s: %q cannot be the name of an image", c.Name, c.Image)
		}
	}
	return ok(ImageReference, "the names of all images can be some")
}

func imageTag(in *Input) Result {
	var mutable []string
	for _, c := range containers(template(in)) {
		if strings.Contains(c.Image, "@") {
			continue
		}
		path := c.Image[strings.LastIndex(c.Image, "/")+1:]
		if _, tag, tagged := strings.Cut(path, ":"); !tagged || tag == "latest" {
			mutable = append(mutable, c.Name)
		}
	}
	if len(mutable) > 0 {
		return warn(ImageTag, "the tag latest may be another image tomorrow, and a way back may not lead back: %s", strings.Join(mutable, ", "))
	}
	return ok(ImageTag, "no image has the tag latest")
}

func readinessProbe(in *Input) Result {
	spec := template(in)
	var without []string
	for i := range spec.Containers {
		if spec.Containers[i].ReadinessProbe == nil {
			without = append(without, spec.Containers[i].Name)
		}
	}
	serves := mainContainer(in)
	switch {
	case len(without) == len(spec.Containers):
		return warn(ReadinessProbe, "no container has a readiness probe, so that ready means no more than started: %s", strings.Join(without, ", "))
	case slices.Contains(without, serves):
		return warn(ReadinessProbe, "container %s has no readiness probe: of it ready means no more than started, whatever others are probed for", serves)
	case len(without) > 0:
		return ok(ReadinessProbe, "readiness is probed, but for %s", strings.Join(without, ", "))
	}
	return ok(ReadinessProbe, "readiness is probed")
}

// mainContainer returns the container that the others serve. As for kubectl, it is the one in the annotation, or else the
// first.
func mainContainer(in *Input) string {
	containers, name := template(in).Containers, in.Workload.Template.Annotations[defaultContainer]
	if slices.ContainsFunc(containers, func(c corev1.Container) bool { return c.Name == name }) {
		return name
	}
	return containers[0].Name
}

func drainTime(in *Input) Result {
	spec := template(in)
	seconds := int64(defaultTerminates)
	if spec.TerminationGracePeriodSeconds != nil {
		seconds = *spec.TerminationGracePeriodSeconds
	}
	var hook int64
	for _, c := range spec.Containers {
		if c.Lifecycle != nil && c.Lifecycle.PreStop != nil && c.Lifecycle.PreStop.Sleep != nil {
			hook = max(hook, c.Lifecycle.PreStop.Sleep.Seconds)
		}
	}
	switch {
	case seconds == 0:
		return warn(DrainTime, "terminationGracePeriodSeconds is 0: pods are killed in the midst of requests")
	case hook >= seconds:
		return warn(DrainTime, "the preStop hook sleeps for %d s of the %d s that a pod has to end in", hook, seconds)
	case spec.TerminationGracePeriodSeconds != nil && seconds < 2:
		return warn(DrainTime, "terminationGracePeriodSeconds is %d: too short to finish requests", seconds)
	}
	return ok(DrainTime, "pods have %d s to end in", seconds)
}

func availability(in *Input) Result {
	w := &in.Workload
	switch n := w.Replicas; {
	case n > 0 && in.Unavailable >= n && (w.Kind != DaemonSet || n > 1):
		return warn(Availability, "max-unavailable %d lets all %d pods be missing at once", in.Unavailable, n)
	case n == 1 && w.Kind != DaemonSet:
		return warn(Availability, "one replica: nothing serves when its node fails")
	default:
		return ok(Availability, "at least %d of %d pods stay", max(n-in.Unavailable, 0), n)
	}
}

// progressDeadline compares the deadline with the time that the probes allow.
func progressDeadline(in *Input) Result {
	w := &in.Workload
	switch {
	case w.Kind != Deployment:
		return hasNone(ProgressDeadline, in, "progressDeadlineSeconds; --timeout bounds a wait for it")
	case w.Deadline == nil:
		return ok(ProgressDeadline, "the default of 600 s")
	}
	var slowest int32
	for _, c := range template(in).Containers {
		slowest = max(slowest, startup(&c)+w.MinReadySeconds)
	}
	if *w.Deadline <= slowest {
		return warn(ProgressDeadline, "progressDeadlineSeconds is %d, and the probes allow a pod %d s to become ready", *w.Deadline, slowest)
	}
	return ok(ProgressDeadline, "%d s, and the probes allow a pod %d s to become ready", *w.Deadline, slowest)
}

// startup returns how many seconds a container may take to become ready according to its probes.
func startup(c *corev1.Container) int32 {
	var seconds int32
	if p := c.StartupProbe; p != nil {
		seconds += p.InitialDelaySeconds + or(p.PeriodSeconds, 10)*or(p.FailureThreshold, 3)
	}
	if p := c.ReadinessProbe; p != nil {
		seconds += p.InitialDelaySeconds + or(p.PeriodSeconds, 10)*or(p.SuccessThreshold, 1)
	}
	return seconds
}

func or(value, otherwise int32) int32 {
	if value == 0 {
		return otherwise
	}
	return value
}
