package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/kubectl/pkg/cmd/set"
	"k8s.io/kubectl/pkg/scheme"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/admission"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
)

// adjuster changes each named object and prints it. pause, resume and restart share it.
type adjuster struct {
	selection
	print        *genericclioptions.PrintFlags
	fieldManager string
}

func newAdjuster() adjuster {
	return adjuster{print: genericclioptions.NewPrintFlags("").WithTypeSetter(scheme.Scheme)}
}

func (a *adjuster) add(cmd *cobra.Command) {
	a.selection.add(cmd)
	a.print.AddFlags(cmd)
	cmd.Flags().StringVar(&a.fieldManager, "field-manager", defaultFieldManager, "Name of the manager used to track field ownership.")
	// kubectl accepts an empty name, for example from a script with an unset variable.
	cmd.PreRun = func(*cobra.Command, []string) { a.fieldManager = cmp.Or(a.fieldManager, defaultFieldManager) }
}

func (a *adjuster) validate(args []string) error {
	if err := a.check(args); err != nil {
		return err
	}
	return checkFieldManager(a.fieldManager)
}

// each first runs check on all objects, and then work on each of them. A failure of work does not stop the others.
func (a *adjuster) each(env *environment, args []string, check func(*resource.Info) error, work func(*resource.Info) error) error {
	if err := a.validate(args); err != nil {
		return err
	}
	// kubectl would report an unknown -o only when it prints, after the work.
	if _, err := a.print.ToPrinter(); err != nil {
		return usageError(err)
	}
	found, err := a.find(env, args)
	if err != nil {
		return err
	}
	infos, err := found.Infos()
	if len(infos) == 0 && err == nil {
		return env.noneFound()
	}
	for i := 0; check != nil && i < len(infos); i++ {
		if err := check(infos[i]); err != nil {
			return err
		}
	}
	var failures []error
	for _, info := range infos {
		failures = append(failures, work(info))
	}
	return a.unread(env, err, together(failures))
}

// unread puts objects that could not be read before the failures of the others.
func (a *adjuster) unread(env *environment, err, failed error) error {
	if err == nil {
		return failed
	}
	// kubectl treats all objects that could not be read as one error. If there are other failures, that error stays one text.
	code := exitCode(err)
	var several utilerrors.Aggregate
	if failed == nil || !errors.As(err, &several) || len(several.Errors()) == 1 {
		err = a.located(env, err)
	}
	all := []error{err}
	if errors.As(failed, &several) {
		all = append(all, several.Errors()...)
	} else if failed != nil {
		all = append(all, failed)
	}
	return &exitError{code: code, err: utilerrors.NewAggregate(all)}
}

// noneFound prints that no object was found, in kubectl's words. As in kubectl, that is no failure.
func (env *environment) noneFound() error {
	namespace, err := env.currentNamespace()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(env.ErrOut, "No resources found in %s namespace.\n", namespace)
	return nil
}

// adjustment is a change of one object.
type adjustment struct {
	// check returns an error if the object, as it was read, must not be changed. nil allows every object.
	check  func() error
	mutate set.PatchFn
	// amend edits the patch that mutate results in. The patch may be empty.
	amend func(object runtime.Object, patch map[string]any) error
	// only names the kinds of objects that the change is for.
	only string
}

// adjust writes a change as a strategic merge patch. The API server refuses it if the object has changed since it was read.
// Then adjust computes it again.
func (a *adjuster) adjust(ctx context.Context, info *resource.Info, change adjustment) error {
	for try := 1; ; try++ {
		if change.check != nil {
			if err := change.check(); err != nil {
				return err
			}
		}
		body, err := change.patch(info)
		if err != nil {
			return unchanged(fmt.Errorf("error: %s %q %w", info.Mapping.Resource.GroupResource(), info.Name, err), info, change.only)
		}
		object, err := a.write(ctx, info, body)
		switch {
		case err == nil:
			if err := nothingStored(body, info.Object, object); err != nil {
				return unsaid(err, objectIn(info), commandOn("status", objectIn(info))+" shows it as it is")
			}
			return info.Refresh(object, true)
		case !apierrors.IsConflict(err) || try == kube.ConflictTries:
			return unsaid(fmt.Errorf("failed to patch: %w", err), objectIn(info), commandOn("status", objectIn(info))+" shows it as it is")
		}
		if err := kube.PauseForConflict(ctx, clock.RealClock{}, try); err != nil {
			return err
		}
		if err := refresh(ctx, info); err != nil {
			return err
		}
	}
}

func (c *adjustment) patch(info *resource.Info) ([]byte, error) {
	metadata, err := meta.Accessor(info.Object)
	if err != nil {
		return nil, err
	}
	calculated := &set.Patch{Info: info}
	set.CalculatePatch(calculated, scheme.DefaultJSONEncoder(), c.mutate)
	if calculated.Err != nil {
		return nil, calculated.Err
	}
	patch := map[string]any{}
	if err := json.Unmarshal(calculated.Patch, &patch); err != nil {
		return nil, err
	}
	if c.amend != nil {
		if err := c.amend(info.Object, patch); err != nil {
			return nil, err
		}
	}
	if err := unstructured.SetNestedField(patch, metadata.GetResourceVersion(), "metadata", "resourceVersion"); err != nil {
		return nil, err
	}
	return json.Marshal(patch)
}

// nothingStored returns an error if an admission policy or webhook has undone a patch.
func nothingStored(body []byte, before, stored runtime.Object) error {
	var patch map[string]any
	if err := json.Unmarshal(body, &patch); err != nil {
		return err
	}
	return admission.NothingStored(patch, before, stored)
}

func (a *adjuster) write(ctx context.Context, info *resource.Info, body []byte) (runtime.Object, error) {
	return info.Client.Patch(types.StrategicMergePatchType).NamespaceIfScoped(info.Namespace, info.Namespaced()).
		Resource(info.Mapping.Resource.Resource).Name(info.Name).
		VersionedParams(&metav1.PatchOptions{FieldManager: a.fieldManager}, metav1.ParameterCodec).Body(body).Do(ctx).Get()
}

func refresh(ctx context.Context, info *resource.Info) error {
	object, err := info.Client.Get().NamespaceIfScoped(info.Namespace, info.Namespaced()).
		Resource(info.Mapping.Resource.Resource).Name(info.Name).Do(ctx).Get()
	if err != nil {
		return more(err, fmt.Sprintf(" in namespace %q", info.Namespace))
	}
	return info.Refresh(object, true)
}

// printed prints an object with the operation that was done to it.
func (a *adjuster) printed(env *environment, object runtime.Object, operation string) error {
	a.print.NamePrintFlags.Operation = operation
	printer, err := a.print.ToPrinter()
	if err != nil {
		return err
	}
	return printer.PrintObj(object, env.Out)
}
