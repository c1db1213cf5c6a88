// Package adjust changes each named object and prints it, for pause, resume and restart.
package adjust

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

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/admission"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Adjuster changes each named object and prints it. pause, resume and restart share it.
type Adjuster struct {
	cli.Selection
	Print        *genericclioptions.PrintFlags
	FieldManager string
}

// NewAdjuster returns an adjuster that prints as kubectl does.
func NewAdjuster() Adjuster {
	return Adjuster{Print: genericclioptions.NewPrintFlags("").WithTypeSetter(scheme.Scheme)}
}

// Add adds the flags that select objects, print them, and name the field manager.
func (a *Adjuster) Add(cmd *cobra.Command) {
	a.Selection.Add(cmd)
	a.Print.AddFlags(cmd)
	cli.AddFieldManager(cmd, &a.FieldManager)
	// kubectl accepts an empty name, for example from a script with an unset variable.
	cmd.PreRun = func(*cobra.Command, []string) { a.FieldManager = cmp.Or(a.FieldManager, cli.DefaultFieldManager) }
}

func (a *Adjuster) validate(args []string) error {
	if err := a.Check(args); err != nil {
		return err
	}
	return cli.CheckFieldManager(a.FieldManager)
}

// Each first runs check on all objects, and then work on each of them. A failure of work does not stop the others.
func (a *Adjuster) Each(env *cli.Env, args []string, check func(*resource.Info) error, work func(*resource.Info) error) error {
	if err := a.validate(args); err != nil {
		return err
	}
	// kubectl would report an unknown -o only when it prints, after the work.
	if _, err := a.Print.ToPrinter(); err != nil {
		return cli.UsageError(err)
	}
	found, err := a.Find(env, args)
	if err != nil {
		return err
	}
	infos, err := found.Infos()
	if len(infos) == 0 && err == nil {
		return env.NoneFound()
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
	return a.unread(env, err, cli.Together(failures))
}

// unread puts objects that could not be read before the failures of the others.
func (a *Adjuster) unread(env *cli.Env, err, failed error) error {
	if err == nil {
		return failed
	}
	// kubectl treats all objects that could not be read as one error. If there are other failures, that error stays one text.
	code := cli.CodeOf(err)
	var several utilerrors.Aggregate
	if failed == nil || !errors.As(err, &several) || len(several.Errors()) == 1 {
		err = a.Located(env, err)
	}
	all := []error{err}
	if errors.As(failed, &several) {
		all = append(all, several.Errors()...)
	} else if failed != nil {
		all = append(all, failed)
	}
	return &cli.Exit{Code: code, Err: utilerrors.NewAggregate(all)}
}

// Adjustment is a change of one object.
type Adjustment struct {
	// Check returns an error if the object, as it was read, must not be changed. nil allows every object.
	Check  func() error
	Mutate set.PatchFn
	// Amend edits the patch that mutate results in. The patch may be empty.
	Amend func(object runtime.Object, patch map[string]any) error
	// Only names the kinds of objects that the change is for.
	Only string
}

// Adjust writes a change as a strategic merge patch. The API server refuses it if the object has changed since it was read.
// Then adjust computes it again.
func (a *Adjuster) Adjust(ctx context.Context, info *resource.Info, change Adjustment) error {
	for try := 1; ; try++ {
		if change.Check != nil {
			if err := change.Check(); err != nil {
				return err
			}
		}
		body, err := change.patch(info)
		if err != nil {
			return cli.Unchanged(fmt.Errorf("error: %s %q %w", info.Mapping.Resource.GroupResource(), info.Name, err), info, change.Only)
		}
		object, err := a.write(ctx, info, body)
		switch {
		case err == nil:
			if err := nothingStored(body, info.Object, object); err != nil {
				return cli.Unsaid(err, cli.ObjectIn(info), cli.CommandOn("status", cli.ObjectIn(info))+" shows it as it is")
			}
			return info.Refresh(object, true)
		case !apierrors.IsConflict(err) || try == kube.ConflictTries:
			return cli.Unsaid(fmt.Errorf("failed to patch: %w", err), cli.ObjectIn(info), cli.CommandOn("status", cli.ObjectIn(info))+" shows it as it is")
		}
		if err := kube.PauseForConflict(ctx, clock.RealClock{}, try); err != nil {
			return err
		}
		if err := refresh(ctx, info); err != nil {
			return err
		}
	}
}

func (c *Adjustment) patch(info *resource.Info) ([]byte, error) {
	metadata, err := meta.Accessor(info.Object)
	if err != nil {
		return nil, err
	}
	calculated := &set.Patch{Info: info}
	set.CalculatePatch(calculated, scheme.DefaultJSONEncoder(), c.Mutate)
	if calculated.Err != nil {
		return nil, calculated.Err
	}
	patch := map[string]any{}
	if err := json.Unmarshal(calculated.Patch, &patch); err != nil {
		return nil, err
	}
	if c.Amend != nil {
		if err := c.Amend(info.Object, patch); err != nil {
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

func (a *Adjuster) write(ctx context.Context, info *resource.Info, body []byte) (runtime.Object, error) {
	return info.Client.Patch(types.StrategicMergePatchType).NamespaceIfScoped(info.Namespace, info.Namespaced()).
		Resource(info.Mapping.Resource.Resource).Name(info.Name).
		VersionedParams(&metav1.PatchOptions{FieldManager: a.FieldManager}, metav1.ParameterCodec).Body(body).Do(ctx).Get()
}

func refresh(ctx context.Context, info *resource.Info) error {
	object, err := info.Client.Get().NamespaceIfScoped(info.Namespace, info.Namespaced()).
		Resource(info.Mapping.Resource.Resource).Name(info.Name).Do(ctx).Get()
	if err != nil {
		return cli.More(err, fmt.Sprintf(" in namespace %q", info.Namespace))
	}
	return info.Refresh(object, true)
}

// Printed prints an object with the operation that was done to it.
func (a *Adjuster) Printed(env *cli.Env, object runtime.Object, operation string) error {
	a.Print.NamePrintFlags.Operation = operation
	printer, err := a.Print.ToPrinter()
	if err != nil {
		return err
	}
	return printer.PrintObj(object, env.Out)
}

// WhileAt adds to an error from the end of the context that an object was being changed. The write may have arrived.
func WhileAt(ctx context.Context, err error, info *resource.Info, done string) error {
	return cli.CutShort(ctx, err, fmt.Sprintf("while %s was %s; %s shows whether it is", cli.ObjectIn(info), done, cli.CommandOn("status", cli.ObjectIn(info))))
}

// AnnotateCause adds the cause of the new revision to a patch. Without a cause, it removes that of the revision before.
func AnnotateCause(object runtime.Object, patch map[string]any, cause string) error {
	metadata, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	path := []string{"metadata", "annotations", workload.ChangeCauseAnnotation}
	if cause != "" {
		return unstructured.SetNestedField(patch, cause, path...)
	}
	if _, found := metadata.GetAnnotations()[workload.ChangeCauseAnnotation]; found {
		return unstructured.SetNestedField(patch, nil, path...)
	}
	return nil
}
