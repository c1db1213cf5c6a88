package rollout

import (
	"context"
	"fmt"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

const (
	// mostListed bounds what is read of one sort of objects; a rollout must not wait for a large namespace.
	mostListed = 500
	// mostReferences bounds how many objects that pods need are asked for.
	mostReferences = 30
)

// CheckError tells that checks stand against a rollout: nothing was begun.
type CheckError struct{ Failed []preflight.Result }

func (e *CheckError) Error() string {
	texts := make([]string, len(e.Failed))
	for i, r := range e.Failed {
		texts[i] = r.ID + ": " + r.Message
	}
	return "a check stands against it: " + strings.Join(texts, "; ")
}

// Check looks for trouble that a rollout of a Deployment as it is would meet. Nothing is written.
func (e *Engine) Check(ctx context.Context, d *appsv1.Deployment, options StartOptions) ([]preflight.Result, error) {
	limits, err := LimitsOf(d.Spec.Strategy).Override(options.MaxSurge, options.MaxUnavailable).At(replicasOf(d))
	if err != nil {
		return nil, &OptionError{Option: "max-surge, --max-unavailable", Err: err}
	}
	in := e.surroundings(ctx, d)
	in.Surge, in.Unavailable = limits.Surge, limits.Unavailable
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return preflight.Check(in), nil
}

// checked makes the checks before anything is written, and refuses a rollout that one stands against.
func (s *session) checked(ctx context.Context, ready *prepared, options StartOptions) error {
	if options.SkipChecks || options.DryRun == DryRunClient || ready.record == nil || ready.replicas == 0 {
		return nil
	}
	results, err := s.Check(ctx, ready.wanted.typed, options)
	if err != nil {
		return err
	}
	s.emit(CheckEvent{Results: results})
	if failed := preflight.Failed(results); len(failed) > 0 {
		return &CheckError{failed}
	}
	return nil
}

// surroundings reads what checks look at, all at the same time: a number of requests that does not depend on replicas.
func (e *Engine) surroundings(ctx context.Context, d *appsv1.Deployment) *preflight.Input {
	in := &preflight.Input{Deployment: d, References: references(d)}
	namespace, all := d.Namespace, metav1.ListOptions{Limit: mostListed}
	var reading sync.WaitGroup
	read := func(what string, keep *error, list func() error) {
		reading.Go(func() {
			if err := list(); err != nil {
				*keep = fmt.Errorf("%s cannot be read: %w", what, err)
			}
		})
	}
	core, apps := e.Client.CoreV1(), e.Client.AppsV1()
	read("resourcequotas", &in.Quotas.Err, func() error {
		list, err := core.ResourceQuotas(namespace).List(ctx, all)
		in.Quotas.Items = list.Items
		return err
	})
	read("limitranges", &in.LimitRanges.Err, func() error {
		list, err := core.LimitRanges(namespace).List(ctx, all)
		in.LimitRanges.Items = list.Items
		return err
	})
	read("nodes", &in.Nodes.Err, func() error {
		list, err := core.Nodes().List(ctx, all)
		in.Nodes.Items = list.Items
		return err
	})
	read("services", &in.Services.Err, func() error {
		list, err := core.Services(namespace).List(ctx, all)
		in.Services.Items = list.Items
		return err
	})
	read("poddisruptionbudgets", &in.Budgets.Err, func() error {
		list, err := e.Client.PolicyV1().PodDisruptionBudgets(namespace).List(ctx, all)
		in.Budgets.Items = list.Items
		return err
	})
	read("horizontalpodautoscalers", &in.Autoscalers.Err, func() error {
		list, err := e.Client.AutoscalingV2().HorizontalPodAutoscalers(namespace).List(ctx, all)
		in.Autoscalers.Items = list.Items
		return err
	})
	read("deployments", &in.Deployments.Err, func() error {
		list, err := apps.Deployments(namespace).List(ctx, all)
		in.Deployments.Items = list.Items
		return err
	})
	in.Rights.Items = neededRights()
	for i := range in.Rights.Items {
		right := &in.Rights.Items[i]
		reading.Go(func() { right.Allowed = e.May(ctx, namespace, right) })
	}
	for i := range in.References {
		reference := &in.References[i]
		reading.Go(func() { e.look(ctx, namespace, reference) })
	}
	reading.Wait()
	return in
}

// neededRights is what start does.
func neededRights() []preflight.Right {
	var all []preflight.Right
	for _, verb := range []string{"get", "list", "watch", "patch"} {
		all = append(all, preflight.Right{Verb: verb, Group: appsv1.GroupName, Resource: "deployments", Needed: true})
	}
	for _, verb := range []string{"get", "list", "watch"} {
		all = append(all, preflight.Right{Verb: verb, Group: appsv1.GroupName, Resource: "replicasets", Needed: true})
	}
	return append(
		all,
		preflight.Right{Verb: "patch", Group: appsv1.GroupName, Resource: "replicasets"},
		preflight.Right{Verb: "list", Resource: "pods", Needed: true},
		preflight.Right{Verb: "watch", Resource: "pods", Needed: true},
		preflight.Right{Verb: "get", Resource: "pods/log"},
		preflight.Right{Verb: "list", Resource: "events"},
	)
}

// May asks the API server for a right. Where it does not answer the right is taken to be there: the work itself will tell.
func (e *Engine) May(ctx context.Context, namespace string, right *preflight.Right) bool {
	kind, sub, _ := strings.Cut(right.Resource, "/")
	review, err := e.Client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: right.Verb, Group: right.Group, Resource: kind, Subresource: sub,
		}},
	}, metav1.CreateOptions{})
	return err != nil || review.Status.Allowed
}

// look asks whether an object that pods need exists.
func (e *Engine) look(ctx context.Context, namespace string, r *preflight.Reference) {
	var err error
	core, options := e.Client.CoreV1(), metav1.GetOptions{}
	switch r.Kind {
	case "ConfigMap":
		_, err = core.ConfigMaps(namespace).Get(ctx, r.Name, options)
	case "Secret":
		_, err = core.Secrets(namespace).Get(ctx, r.Name, options)
	case "ServiceAccount":
		_, err = core.ServiceAccounts(namespace).Get(ctx, r.Name, options)
	case "PersistentVolumeClaim":
		_, err = core.PersistentVolumeClaims(namespace).Get(ctx, r.Name, options)
	}
	if r.Missing = apierrors.IsNotFound(err); !r.Missing && err != nil {
		r.Err = fmt.Errorf("%s %q cannot be read: %w", r.Kind, r.Name, err)
	}
}

// references are the objects without which pods of a Deployment cannot start.
func references(d *appsv1.Deployment) []preflight.Reference {
	spec := &d.Spec.Template.Spec
	var all []preflight.Reference
	known := map[preflight.Reference]bool{}
	add := func(kind, name string, optional *bool) {
		r := preflight.Reference{Kind: kind, Name: name}
		if name == "" || optional != nil && *optional || known[r] || len(all) == mostReferences {
			return
		}
		known[r] = true
		all = append(all, r)
	}
	add("ServiceAccount", spec.ServiceAccountName, nil)
	for i := range spec.Volumes {
		addVolume(&spec.Volumes[i], add)
	}
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range containers {
			addEnvironment(&containers[i], add)
		}
	}
	return all
}

func addVolume(v *corev1.Volume, add func(kind, name string, optional *bool)) {
	switch {
	case v.ConfigMap != nil:
		add("ConfigMap", v.ConfigMap.Name, v.ConfigMap.Optional)
	case v.Secret != nil:
		add("Secret", v.Secret.SecretName, v.Secret.Optional)
	case v.PersistentVolumeClaim != nil:
		add("PersistentVolumeClaim", v.PersistentVolumeClaim.ClaimName, nil)
	case v.Projected != nil:
		for _, source := range v.Projected.Sources {
			if source.ConfigMap != nil {
				add("ConfigMap", source.ConfigMap.Name, source.ConfigMap.Optional)
			}
			if source.Secret != nil {
				add("Secret", source.Secret.Name, source.Secret.Optional)
			}
		}
	}
}

func addEnvironment(c *corev1.Container, add func(kind, name string, optional *bool)) {
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef != nil {
			add("ConfigMap", from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
		}
		if from.SecretRef != nil {
			add("Secret", from.SecretRef.Name, from.SecretRef.Optional)
		}
	}
	for _, env := range c.Env {
		if env.ValueFrom == nil {
			continue
		}
		if ref := env.ValueFrom.ConfigMapKeyRef; ref != nil {
			add("ConfigMap", ref.Name, ref.Optional)
		}
		if ref := env.ValueFrom.SecretKeyRef; ref != nil {
			add("Secret", ref.Name, ref.Optional)
		}
	}
}
