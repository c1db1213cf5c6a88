// Package survey reads what the checks before a rollout look at.
package survey

import (
	"context"
	"fmt"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/rights"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// mostListed bounds how many objects of one kind are read, since a rollout must not wait for a large namespace.
const mostListed = 500

// survey reads the input of the checks.
type survey struct {
	sync.WaitGroup
	client    kubernetes.Interface
	in        *preflight.Input
	namespace string
	foreseen  []preflight.Foreseen
}

// Options say how much is read, and what is taken for present.
type Options struct {
	// Lean leaves out what takes long in a large cluster. It is for a rollout that waits for the checks.
	Lean bool
	// Foreseen are objects that the checks take for present, with the keys given here.
	Foreseen []preflight.Foreseen
}

// Fill reads the input of the checks of a workload, all at the same time. The number of requests does not depend on replicas.
func Fill(ctx context.Context, client kubernetes.Interface, in *preflight.Input, workload workload.Object, options Options) {
	s, lean := &survey{client: client, in: in, namespace: workload.GetNamespace(), foreseen: options.Foreseen}, options.Lean
	s.lists(ctx)
	s.nodes(ctx, lean)
	s.others(ctx, lean)
	s.rights(ctx, rightsFor(workload))
	s.references(ctx, lean)
	if set, is := workload.(*appsv1.StatefulSet); is {
		s.classes(ctx, set)
	}
	s.Wait()
}

// read calls read in the background, and keeps its error.
func (s *survey) read(what string, keep *error, read func() error) {
	s.Go(func() {
		if err := read(); err != nil {
			*keep = fmt.Errorf("%s cannot be read: %w", what, err)
		}
	})
}

// lists reads the objects of the namespace that the checks need, apart from workloads.
func (s *survey) lists(ctx context.Context) {
	in, all := s.in, metav1.ListOptions{Limit: mostListed}
	core := s.client.CoreV1()
	s.read("resourcequotas", &in.Quotas.Err, func() error {
		list, err := core.ResourceQuotas(s.namespace).List(ctx, all)
		in.Quotas.Items = list.Items
		return err
	})
	s.read("limitranges", &in.LimitRanges.Err, func() error {
		list, err := core.LimitRanges(s.namespace).List(ctx, all)
		in.LimitRanges.Items = list.Items
		return err
	})
	s.read("services", &in.Services.Err, func() error {
		list, err := core.Services(s.namespace).List(ctx, all)
		in.Services.Items, in.Services.More = list.Items, list.Continue != ""
		return err
	})
	s.read("poddisruptionbudgets", &in.Budgets.Err, func() error {
		list, err := s.client.PolicyV1().PodDisruptionBudgets(s.namespace).List(ctx, all)
		in.Budgets.Items = list.Items
		return err
	})
	s.read("horizontalpodautoscalers", &in.Autoscalers.Err, func() error {
		list, err := s.client.AutoscalingV2().HorizontalPodAutoscalers(s.namespace).List(ctx, all)
		in.Autoscalers.Items = list.Items
		return err
	})
}

// others reads the workloads of the namespace: all kinds that select pods, or with lean only the Deployments.
func (s *survey) others(ctx context.Context, lean bool) {
	apps, all, others := s.client.AppsV1(), metav1.ListOptions{Limit: mostListed}, &s.in.Others
	var mu sync.Mutex
	keep := func(list metav1.ListInterface, found []preflight.Other) {
		mu.Lock()
		defer mu.Unlock()
		others.Items, others.More = append(others.Items, found...), others.More || list.GetContinue() != ""
	}
	read := func(what string, list func() error) {
		s.Go(func() {
			if err := list(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				others.Err = fmt.Errorf("%s cannot be read: %w", what, err)
			}
		})
	}
	read("deployments", func() error {
		list, err := apps.Deployments(s.namespace).List(ctx, all)
		keep(list, othersOf(list.Items, func(o *appsv1.Deployment) workload.Object { return o }))
		return err
	})
	if lean {
		return
	}
	read("statefulsets", func() error {
		list, err := apps.StatefulSets(s.namespace).List(ctx, all)
		keep(list, othersOf(list.Items, func(o *appsv1.StatefulSet) workload.Object { return o }))
		return err
	})
	read("daemonsets", func() error {
		list, err := apps.DaemonSets(s.namespace).List(ctx, all)
		keep(list, othersOf(list.Items, func(o *appsv1.DaemonSet) workload.Object { return o }))
		return err
	})
	read("replicasets", func() error {
		list, err := apps.ReplicaSets(s.namespace).List(ctx, all)
		var found []preflight.Other
		for i := range list.Items {
			set := &list.Items[i]
			if metav1.GetControllerOfNoCopy(set) == nil {
				found = append(found, preflight.Other{Kind: "ReplicaSet", Name: set.Name, Selector: set.Spec.Selector, Labels: set.Spec.Template.Labels})
			}
		}
		keep(list, found)
		return err
	})
}

func othersOf[T any](items []T, as func(*T) workload.Object) []preflight.Other {
	found := make([]preflight.Other, len(items))
	for i := range items {
		w := as(&items[i])
		found[i] = preflight.Other{
			Kind: workload.KindOf(w), Name: w.GetName(), Selector: workload.SelectorOf(w), Labels: workload.TemplateOf(w).Labels,
		}
	}
	return found
}

// rightsFor returns the rights that the checks of a workload's rollout ask for.
func rightsFor(w workload.Object) []preflight.Right {
	return rights.OfRollout(workload.ResourceOf(w)+"s", w.GetName())
}

func (s *survey) rights(ctx context.Context, rights []preflight.Right) {
	s.in.Rights.Items = rights
	for i := range rights {
		right := &rights[i]
		s.Go(func() { right.Allowed = May(ctx, s.client, s.namespace, right) })
	}
}

// May reports whether the API server grants a right. If it does not answer, May returns true: the work itself will
// show.
func May(ctx context.Context, client kubernetes.Interface, namespace string, right *preflight.Right) bool {
	kind, sub, _ := strings.Cut(right.Resource, "/")
	review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: right.Verb, Group: right.Group, Resource: kind, Subresource: sub, Name: right.Name,
		}},
	}, metav1.CreateOptions{})
	return err != nil || review.Status.Allowed
}
