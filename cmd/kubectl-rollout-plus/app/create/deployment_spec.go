package create

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	cliprinters "k8s.io/cli-runtime/pkg/printers"
	"k8s.io/kubectl/pkg/scheme"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// deploymentSpec holds the typed values of the Deployment to create.
type deploymentSpec struct {
	name, image, cause       string
	replicas                 int32
	port, servicePort        int32
	variables                []corev1.EnvVar
	args                     []string
	probe                    *corev1.Probe
	maxSurge, maxUnavailable *intstr.IntOrString
}

func (s *deploymentSpec) labels() map[string]string { return map[string]string{"app": s.name} }

// strategy allows one extra and one missing pod at a time by default. With a single replica, it allows no missing pod,
// since that would be all of them.
func (s *deploymentSpec) strategy() appsv1.DeploymentStrategy {
	surge, unavailable := intstr.FromInt32(1), intstr.FromInt32(1)
	if s.replicas <= 1 {
		unavailable = intstr.FromInt32(0)
	}
	if s.maxSurge != nil {
		surge = *s.maxSurge
	}
	if s.maxUnavailable != nil {
		unavailable = *s.maxUnavailable
	}
	return appsv1.DeploymentStrategy{
		Type:          appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &surge, MaxUnavailable: &unavailable},
	}
}

func (s *deploymentSpec) deployment() *appsv1.Deployment {
	container := corev1.Container{Name: containerName(s.image), Image: s.image, Args: s.args, Env: s.variables, ReadinessProbe: s.probe}
	if s.port > 0 {
		container.Ports = []corev1.ContainerPort{{ContainerPort: s.port}}
	}
	d := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: appsv1.SchemeGroupVersion.String(), Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: s.name, Labels: s.labels()},
		Spec: appsv1.DeploymentSpec{
			Replicas: &s.replicas,
			Selector: &metav1.LabelSelector{MatchLabels: s.labels()},
			Strategy: s.strategy(),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: s.labels()},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{container}},
			},
		},
	}
	if s.cause != "" {
		d.Annotations = map[string]string{workload.ChangeCauseAnnotation: s.cause}
	}
	return d
}

func (s *deploymentSpec) service() *corev1.Service {
	target := s.port
	if target == 0 {
		target = s.servicePort
	}
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: s.name, Labels: s.labels()},
		Spec: corev1.ServiceSpec{
			Selector: s.labels(),
			Ports:    []corev1.ServicePort{{Port: s.servicePort, TargetPort: intstr.FromInt32(target)}},
		},
	}
}

// containerName returns the image's last part without tag and digest, as kubectl create deployment names containers.
func containerName(image string) string {
	name := image[strings.LastIndex(image, "/")+1:]
	name, _, _ = strings.Cut(name, "@")
	name, _, _ = strings.Cut(name, ":")
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, strings.ToLower(strings.ReplaceAll(name, "_", "-")))
	if name = strings.Trim(name, "-"); name == "" {
		return "app"
	}
	return strings.TrimRight(name[:min(len(name), 63)], "-")
}

// parseProbe parses http:PORT/PATH and tcp:PORT.
func parseProbe(value string) (*corev1.Probe, error) {
	if value == "" {
		return nil, nil
	}
	kind, rest, _ := strings.Cut(value, ":")
	number, path, _ := strings.Cut(rest, "/")
	port, err := parsePort(number)
	if err != nil {
		return nil, err
	}
	// With the API server's default period of 10 s, every step of a rollout would be that much slower.
	probe := &corev1.Probe{PeriodSeconds: 2}
	switch {
	case kind == "http":
		probe.HTTPGet = &corev1.HTTPGetAction{Port: intstr.FromInt32(port), Path: "/" + path}
	case kind == "tcp" && !strings.Contains(rest, "/"):
		probe.TCPSocket = &corev1.TCPSocketAction{Port: intstr.FromInt32(port)}
	default:
		return nil, errors.New("expected http:PORT/PATH or tcp:PORT")
	}
	return probe, nil
}

func parsePort(value string) (int32, error) {
	port, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a port", value)
	}
	return int32(port), checkPortNumber(int32(port))
}

func checkPort(flag string, port int32) error {
	if err := checkPortNumber(port); err != nil {
		return cli.FlagError(flag, fmt.Sprint(port), err)
	}
	return nil
}

func checkPortNumber(port int32) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("a port is a number from 1 to 65535")
	}
	return nil
}

// printCreated prints objects. If they are a manifest, it leaves out the fields that the API server fills in.
func printCreated(out io.Writer, printer cliprinters.ResourcePrinter, objects []object, manifest bool) error {
	for _, object := range objects {
		plain, err := withoutServerFields(object, manifest)
		if err != nil {
			return err
		}
		if err := printer.PrintObj(plain, out); err != nil {
			return err
		}
	}
	return nil
}

// withoutServerFields leaves out fields that only the API server fills in, so that a manifest is fit for git.
func withoutServerFields(o runtime.Object, plain bool) (runtime.Object, error) {
	if gvks, _, err := scheme.Scheme.ObjectKinds(o); err == nil && len(gvks) > 0 {
		o.GetObjectKind().SetGroupVersionKind(gvks[0])
	}
	if !plain {
		return o, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, err
	}
	for _, path := range [][]string{
		{"status"},
		{"metadata", "creationTimestamp"},
		{"spec", "template", "metadata", "creationTimestamp"},
	} {
		unstructured.RemoveNestedField(content, path...)
	}
	removeEmptyResources(content)
	return &unstructured.Unstructured{Object: content}, nil
}

// removeEmptyResources drops the `resources: {}` that every typed container carries.
func removeEmptyResources(content map[string]any) {
	containers, _, err := unstructured.NestedSlice(content, "spec", "template", "spec", "containers")
	if err != nil || len(containers) == 0 {
		return
	}
	for _, item := range containers {
		if container, ok := item.(map[string]any); ok {
			if resources, ok := container["resources"].(map[string]any); ok && len(resources) == 0 {
				delete(container, "resources")
			}
		}
	}
	_ = unstructured.SetNestedSlice(content, containers, "spec", "template", "spec", "containers") // the path has just been read
}
