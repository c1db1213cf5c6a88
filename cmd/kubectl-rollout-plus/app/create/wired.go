package create

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/admission"
)

// attach adds references to ConfigMaps and Secrets to the Deployment, by their plain names.
func (f *createDeploymentFlags) attach(d *appsv1.Deployment) error {
	if len(f.attached) == 0 {
		return nil
	}
	return cli.UsageError(editTemplate(d, func(template map[string]any) error {
		return attach.Add(template, "", f.attached)
	}))
}

// editTemplate edits the pod template of a Deployment that is about to be created.
func editTemplate(d *appsv1.Deployment, edit func(map[string]any) error) error {
	template, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&d.Spec.Template)
	if err != nil {
		return err
	}
	if err := edit(template); err != nil {
		return err
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(template, &d.Spec.Template)
}

// write creates the versions that the Deployment references, and then the objects. It tries everything before the first
// write.
func (f *createDeploymentFlags) write(ctx context.Context, env *cli.Env, namespace string, objects []object, dryRun bool) ([]object, error) {
	s, err := configuration.NewSession(env, namespace, f.fieldManager)
	if err != nil {
		return nil, err
	}
	contents, err := s.WireContents(ctx, f.attached)
	if err != nil {
		return nil, err
	}
	p := &attach.Pin{Contents: contents}
	if len(contents) > 0 {
		if err := s.MaySweep(ctx, store.KindsOf(contents)); err != nil {
			return nil, err
		}
		if err := f.pin(ctx, s, p, objects, true); err != nil {
			return nil, err
		}
		tried, err := f.create(ctx, s.Engine.Client, namespace, objects, true)
		if err != nil || dryRun {
			return tried, err
		}
		if err := f.pin(ctx, s, p, objects, false); err != nil {
			return nil, err
		}
	}
	created, err := f.create(ctx, s.Engine.Client, namespace, objects, dryRun)
	if err == nil && len(contents) > 0 {
		s.Tidy(ctx, store.KindsOf(contents), configmap.Settled{})
	}
	return created, err
}

// pin writes the versions, or only tries to, and makes the Deployment reference them.
func (f *createDeploymentFlags) pin(ctx context.Context, s *configuration.ConfigSession, p *attach.Pin, objects []object, try bool) error {
	if err := s.Versions.WritePin(ctx, p, nil, try); err != nil {
		return err
	}
	for _, each := range objects {
		d, is := each.(*appsv1.Deployment)
		if !is {
			continue
		}
		err := editTemplate(d, func(template map[string]any) error {
			p.Put(template, nil)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tellOtherwise prints a warning if the API server has created objects with other values than requested.
func tellOtherwise(env *cli.Env, asked, created []object) {
	for i := range created {
		if err := admission.CreatedOtherwise(asked[i], created[i]); err != nil {
			env.Tell("warning: %s %q: %v", kindNameOf(asked[i]), asked[i].GetName(), err)
		}
	}
}

func kindNameOf(of object) string {
	if _, is := of.(*appsv1.Deployment); is {
		return "deployment"
	}
	return "service"
}
