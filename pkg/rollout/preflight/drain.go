package preflight

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// preStop looks for containers behind a Service that have no preStop hook. Endpoints change a moment after a pod is told to
// end. An application that exits at once on SIGTERM refuses the requests of that moment.
func preStop(in *Input) Result {
	if in.Services.Err != nil {
		return skip(PreStop, in.Services.Err)
	}
	var behind, without []string
	for i := range in.Services.Items {
		service := &in.Services.Items[i]
		if len(service.Spec.Selector) == 0 || !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(in.Workload.Template.Labels)) {
			continue
		}
		behind = append(behind, service.Name)
		for _, container := range serving(in, service) {
			if !hasPreStop(*container) {
				without = append(without, container.Name)
			}
		}
	}
	if len(behind) == 0 {
		return ok(PreStop, "no Service sends requests to the pods")
	}
	slices.Sort(behind)
	if len(without) == 0 {
		return ok(PreStop, "every container behind a Service waits in a preStop hook before it ends")
	}
	slices.Sort(without)
	message := "behind Service %s, container %s has no preStop hook: requests fail whenever a pod ends, if the application exits at once on SIGTERM"
	if in.Workload.Kind == Deployment {
		message += "; start --drain 5s adds a hook"
	}
	return warn(PreStop, message, strings.Join(behind[:min(len(behind), noMoreThanListed)], ", "), strings.Join(slices.Compact(without), ", "))
}

// serving returns the containers that a Service sends requests to: those that declare one of its target ports. If none does,
// the receiver is unknown. The main container then stands for all, unless another one has a hook. A sidecar among the init
// containers ends after the containers, so it is not checked.
func serving(in *Input, service *corev1.Service) []*corev1.Container {
	spec := template(in)
	target := func(c corev1.Container) bool {
		return slices.ContainsFunc(c.Ports, func(port corev1.ContainerPort) bool { return isTarget(service, port) })
	}
	var found []*corev1.Container
	for i := range spec.Containers {
		if target(spec.Containers[i]) {
			found = append(found, &spec.Containers[i])
		}
	}
	if len(found) > 0 || slices.ContainsFunc(spec.InitContainers, target) || slices.ContainsFunc(spec.Containers, hasPreStop) {
		return found
	}
	main := mainContainer(in)
	i := slices.IndexFunc(spec.Containers, func(c corev1.Container) bool { return c.Name == main })
	return []*corev1.Container{&spec.Containers[i]}
}

func hasPreStop(c corev1.Container) bool { return c.Lifecycle != nil && c.Lifecycle.PreStop != nil }

// isTarget reports whether a Service sends requests to a container's port.
func isTarget(service *corev1.Service, port corev1.ContainerPort) bool {
	return slices.ContainsFunc(service.Spec.Ports, func(p corev1.ServicePort) bool {
		switch {
		case p.TargetPort.Type == intstr.String:
			return p.TargetPort.StrVal == port.Name
		case p.TargetPort.IntVal == 0:
			return p.Port == port.ContainerPort // the API server's default
		default:
			return p.TargetPort.IntVal == port.ContainerPort
		}
	})
}
