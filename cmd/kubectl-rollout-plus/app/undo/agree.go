package undo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/cli-runtime/pkg/resource"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/rollback"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// agree returns an error if going back with several workloads would give one object several contents. An object holds only
// one content, which would be that of the last workload.
func (u *undoer) agree(ctx context.Context, all []error) error {
	if u.KeepConfig {
		return nil
	}
	in := map[string][]*resource.Info{}
	eachFound(all, func(info *resource.Info) error {
		if workload.Is(info.Object) {
			in[info.Namespace] = append(in[info.Namespace], info)
		}
		return nil
	})
	for _, namespace := range slices.Sorted(maps.Keys(in)) {
		if len(in[namespace]) < 2 {
			continue
		}
		if err := u.agreeWith(ctx, in[namespace]); err != nil {
			return err
		}
	}
	return nil
}

// agreeWith does this for the workloads of one namespace. It skips workloads it cannot judge: they report their error
// themselves when they go back.
func (u *undoer) agreeWith(ctx context.Context, infos []*resource.Info) error {
	if err := u.connect(); err != nil {
		return err
	}
	var before []*restore.Going
	for _, info := range infos {
		back, err := u.lookAhead(ctx, info)
		switch {
		case context.Cause(ctx) != nil:
			return fmt.Errorf("%w before anything was rolled back", context.Cause(ctx))
		case err != nil || back == nil:
			continue
		}
		if err := back.Agree(before, u.SharedConfig, cli.BackAdvice()); err != nil {
			return err
		}
		before = append(before, back)
	}
	return nil
}

// lookAhead finds out how going back with one object would change heads. It returns nil if no versions are involved.
func (u *undoer) lookAhead(ctx context.Context, info *resource.Info) (*restore.Going, error) {
	config, err := u.Restoring(ctx, info.Object, u.engine, u.env)
	if err != nil || config.Restoration == nil || !config.Some() {
		return nil, err
	}
	back := restore.NewGoing(cli.NameOf(config.Of))
	if u.toRevision == 0 && cli.MayBeOpen(info) {
		if _, record, err := rollout.OpenIn(config.Of); err == nil && record != nil {
			back.FromNote(store.NoteOf(record))
			return back, nil
		}
	}
	target, err := u.target(ctx, info)
	if err != nil {
		return nil, err
	}
	return back, back.FromTemplates(ctx, config.Restoration, workload.TemplateOf(info.Object), target)
}

var errLooked = errors.New("this was but a look")

// target returns the template that an object would go back to. It writes nothing.
func (u *undoer) target(ctx context.Context, info *resource.Info) (*corev1.PodTemplateSpec, error) {
	_, target, err := u.look(ctx, info)
	return target, err
}

// look computes the rollback of an object without writing it.
func (u *undoer) look(ctx context.Context, info *resource.Info) (*rollback.Rollback, *corev1.PodTemplateSpec, error) {
	var target *corev1.PodTemplateSpec
	r := &rollback.Rollback{
		Client: u.engine.Client, ToRevision: u.toRevision, DryRun: cmdutil.DryRunNone, FieldManager: u.FieldManager,
		Before: func(template *corev1.PodTemplateSpec) error {
			target = template
			return errLooked // keeps the rollbacker from writing
		},
	}
	_, err := rollBack(ctx, r, info.ResourceMapping().GroupVersionKind.GroupKind(), info.Object)
	switch {
	case target != nil:
		return r, target, nil
	case err != nil:
		return nil, nil, err
	}
	return r, workload.TemplateOf(info.Object), nil // the object is at the target already
}
