package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// KindOf returns the kind of a workload with its group and version.
func KindOf(w workload.Object) schema.GroupVersionKind {
	return appsv1.SchemeGroupVersion.WithKind(workload.KindOf(w))
}

// ObjectOf returns the name of a workload for JSON output.
func ObjectOf(workload workload.Object) printers.Object {
	kind := KindOf(workload)
	return printers.Object{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind, Namespace: workload.GetNamespace(), Name: workload.GetName()}
}

// ObjectNamed does the same for an object of which only the kind is known. It sets no API version.
func ObjectNamed(kind string, object runtime.Object) printers.Object {
	named := printers.Object{Kind: kind}
	if o, is := object.(metav1.Object); is {
		named.Namespace, named.Name = o.GetNamespace(), o.GetName()
	}
	return named
}

// ObjectIn does the same for an object that need not be a workload.
func ObjectIn(info *resource.Info) printers.Object {
	kind := info.Mapping.GroupVersionKind
	return printers.Object{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind, Namespace: info.Namespace, Name: info.Name}
}

// NameOf returns a workload's name as people type it, such as deployment/web.
func NameOf(w workload.Object) string { return workload.NameOf(w) }

// ResultName returns a workload's name as kubectl prints it in results.
func ResultName(w workload.Object) string { return ObjectOf(w).ResultName() }

// OneWorkload reads the one workload that an argument names.
func (env *Env) OneWorkload(argument string) (workload.Object, error) {
	found, err := (&Selection{}).Find(env, []string{argument})
	if err != nil {
		return nil, err
	}
	infos, err := found.Infos()
	if err != nil {
		return nil, err
	}
	if len(infos) != 1 {
		return nil, UsageError(errors.New("name one workload, as in deployment/NAME"))
	}
	return WorkloadIn(infos[0])
}

// WorkloadIn returns the workload that was read, or an error if it is an object of another kind.
func WorkloadIn(info *resource.Info) (workload.Object, error) {
	if w, is := info.Object.(workload.Object); is && workload.Is(info.Object) {
		return w, nil
	}
	return nil, UsageError(fmt.Errorf("%s in namespace %q is no Deployment, StatefulSet or DaemonSet; name one", info.ObjectName(), info.Namespace))
}

// KeyOf returns the namespace and the name of a workload.
func KeyOf(workload workload.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: workload.GetNamespace(), Name: workload.GetName()}
}

// oneWorkload parses the kind and name of one object with revisions, from TYPE/NAME or TYPE NAME.
func oneWorkload(args []string) (kind, name string, err error) {
	if len(args) == 0 {
		return "", "", errNothingNamed
	}
	named, name, slash := strings.Cut(args[0], "/")
	switch {
	case len(args) == 2 && !slash:
		name = args[1]
	case len(args) > 1:
		return "", "", fmt.Errorf("one object at a time, not %s", strings.Join(args, " "))
	case !slash:
		return "", "", fmt.Errorf("name the object as TYPE/NAME, not %q", args[0])
	}
	if kind = workloadKind(named); kind == "" {
		return "", "", fmt.Errorf("only Deployments, StatefulSets and DaemonSets have revisions, not %q", named)
	}
	if name == "" || strings.ContainsAny(name, "/ ") {
		return "", "", fmt.Errorf("%q is not the name of a %s", name, kind)
	}
	return kind, name, nil
}

// NamedWorkload returns the object with revisions that the arguments name, in the namespace of the flags.
func (env *Env) NamedWorkload(args []string) (printers.Object, error) {
	kind, name, err := oneWorkload(args)
	if err != nil {
		return printers.Object{}, UsageError(err)
	}
	namespace, err := env.CurrentNamespace()
	return printers.Object{APIVersion: appsv1.SchemeGroupVersion.String(), Kind: kind, Namespace: namespace, Name: name}, err
}

// NamesWorkload checks that the arguments name one object with revisions.
func NamesWorkload(_ *cobra.Command, args []string) error {
	_, _, err := oneWorkload(args)
	return err
}

// MayBeOpen reports whether a stepwise rollout may be open on an object. It looks only at the object itself.
func MayBeOpen(info *resource.Info) bool {
	w, is := info.Object.(workload.Object)
	return is && workload.Is(w) && rollout.MayBeOpen(w)
}

// OpenedIn returns ErrNoRollout if no stepwise rollout is open on an object.
func OpenedIn(ctx context.Context, engine *rollout.Engine, info *resource.Info) error {
	if w, is := info.Object.(workload.Object); is && workload.KindOf(w) != "Deployment" {
		return engine.OpenedOn(ctx, w)
	}
	return engine.Opened(ctx, "Deployment", types.NamespacedName{Namespace: info.Namespace, Name: info.Name})
}
