package app

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// sweep makes the users of each version its owners, and removes versions that nothing needs any more.
func (s *versionStore) sweep(ctx context.Context, kinds []configmap.Kind, settled configmap.Settled) error {
	var all []configmap.Kept
	for _, kind := range kinds {
		some, err := s.kept(ctx, kind, configmap.HeadLabel)
		if err != nil {
			return fmt.Errorf("cannot list the versions in namespace %q: %w", s.namespace, err)
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return nil
	}
	holders, err := s.holders(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for i := range all {
		kept := &all[i]
		keeping := kept.Keep(holders, settled, s.clock.Now())
		switch {
		case keeping.Unneeded:
			err = s.removeUnneeded(ctx, kept)
		case keeping.Owners != nil:
			err = s.own(ctx, kept, keeping.Owners)
		default:
			continue
		}
		// If others have changed a version meanwhile, the next sweep handles it.
		if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			failures = append(failures, fmt.Errorf("cannot keep %s in namespace %q in order: %w", kept.Object, s.namespace, err))
		}
	}
	return errors.Join(failures...)
}

// sweeping runs work on a rollout and then removes versions that nothing needs any more: a template from kubectl apply, for
// example, may have replaced a reference. If a change of configuration began the rollout, that change handles its versions
// itself. Without the rights, sweeping removes nothing; a later command will.
func (env *environment) sweeping(work onOpen) onOpen {
	return func(ctx context.Context, engine *rollout.Engine, key types.NamespacedName) (*rollout.Result, error) {
		result, err := work(ctx, engine, key)
		over := err == nil && (result.Outcome == rollout.Done || result.Outcome == rollout.RolledBack)
		if !over || context.Cause(ctx) != nil || noteOf(result.Record) != nil {
			return result, err
		}
		s := env.sessionOf(engine, key.Namespace)
		failure := s.store.sweep(ctx, []configmap.Kind{configmap.ConfigMap, configmap.Secret}, configmap.Settled{})
		if failure != nil && !apierrors.IsForbidden(failure) && context.Cause(ctx) == nil {
			s.tell("warning: %v; the next command tries again", failure)
		}
		return result, nil
	}
}

// there returns nil if an object exists. It does not read the content.
func (s *versionStore) there(ctx context.Context, object configmap.Object) error {
	return s.client.CoreV1().RESTClient().Get().Namespace(s.namespace).Resource(object.Kind.Resource()).Name(object.Name).
		SetHeader("Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1").Do(ctx).Error()
}

// holderLists returns the lists of all resources that may need versions.
func (s *versionStore) holderLists() []list {
	return append(s.workloadLists(), typed("controllerrevisions.apps", s.client.AppsV1().ControllerRevisions(s.namespace).List))
}

// holders returns all objects of the namespace that may need versions.
func (s *versionStore) holders(ctx context.Context) ([]configmap.Holder, error) {
	var holders []configmap.Holder
	var failure error
	newest := newestRevisions{}
	for _, l := range s.holderLists() {
		err := s.each(ctx, l, func(object runtime.Object) {
			if holder, is, err := holderOf(object); err != nil {
				failure = err
			} else if is {
				newest.see(object)
				holders = append(holders, holder)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	are := newest.uids()
	for i := range holders {
		holders[i].Newest = are[holders[i].Owner.UID]
	}
	return holders, failure
}

// holderOf converts an object with a pod template into a holder of versions.
func holderOf(object runtime.Object) (configmap.Holder, bool, error) {
	if w, is := object.(rollout.Workload); is && rollout.IsWorkload(w) {
		return holderOfWorkload(w), true, nil
	}
	switch o := object.(type) {
	case *batchv1.CronJob:
		return configmap.NewHolder(ownerOf(o, "batch/v1", "CronJob"), true, &o.Spec.JobTemplate.Spec.Template), true, nil
	case *appsv1.ReplicaSet:
		return configmap.NewHolder(ownerOf(o, "apps/v1", "ReplicaSet"), false, &o.Spec.Template), true, nil
	case *batchv1.Job:
		return configmap.NewHolder(ownerOf(o, "batch/v1", "Job"), false, &o.Spec.Template), true, nil
	case *corev1.ReplicationController:
		if o.Spec.Template == nil {
			return configmap.Holder{}, false, nil
		}
		return configmap.NewHolder(ownerOf(o, "v1", "ReplicationController"), true, o.Spec.Template), true, nil
	case *appsv1.ControllerRevision:
		template, is, err := podtemplate.OfRevision(o)
		if !is || err != nil {
			return configmap.Holder{}, false, err
		}
		return configmap.NewHolder(ownerOf(o, "apps/v1", "ControllerRevision"), false, template), true, nil
	case *corev1.Pod:
		owner := metav1.OwnerReference{}
		if metav1.GetControllerOfNoCopy(o) == nil {
			owner = ownerOf(o, "v1", "Pod")
		}
		template := &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Annotations: o.Annotations}, Spec: o.Spec}
		return configmap.NewHolder(owner, false, template), true, nil
	}
	return configmap.Holder{}, false, nil
}

// holderOfWorkload returns the holder for a workload. It also needs the version that the note of its open rollout names.
func holderOfWorkload(w rollout.Workload) configmap.Holder {
	holder := configmap.NewHolder(ownerOf(w, "apps/v1", rollout.KindOf(w)), true, rollout.TemplateOf(w))
	if _, record, err := rollout.OpenIn(w); err == nil {
		if note := noteOf(record); note != nil {
			holder.Add(note.version(note.Before))
		}
	}
	return holder
}

// ownerOf returns an owner reference for the garbage collector. It does not block the deletion of the owner.
func ownerOf(object metav1.Object, version, kind string) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: version, Kind: kind, Name: object.GetName(), UID: object.GetUID()}
}
