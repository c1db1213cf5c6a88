package store

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// holderLists returns the lists of all resources that may need versions.
func (s *Versions) holderLists() []resourceList {
	return append(s.workloadLists(), typed("controllerrevisions.apps", s.Client.AppsV1().ControllerRevisions(s.Namespace).List))
}

// holders returns all objects of the namespace that may need versions.
func (s *Versions) holders(ctx context.Context) ([]configmap.Holder, error) {
	var holders []configmap.Holder
	var failure error
	newest := NewestRevisions{}
	for _, l := range s.holderLists() {
		err := s.each(ctx, l, func(object runtime.Object) {
			if holder, is, err := holderOf(object); err != nil {
				failure = err
			} else if is {
				newest.See(object)
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
	if w, is := object.(workload.Object); is && workload.Is(w) {
		return holderOfWorkload(w), true, nil
	}
	switch o := object.(type) {
	case *batchv1.CronJob:
		return configmap.NewHolder(OwnerOf(o, "batch/v1", "CronJob"), true, &o.Spec.JobTemplate.Spec.Template), true, nil
	case *appsv1.ReplicaSet:
		return configmap.NewHolder(OwnerOf(o, "apps/v1", "ReplicaSet"), false, &o.Spec.Template), true, nil
	case *batchv1.Job:
		return configmap.NewHolder(OwnerOf(o, "batch/v1", "Job"), false, &o.Spec.Template), true, nil
	case *corev1.ReplicationController:
		if o.Spec.Template == nil {
			return configmap.Holder{}, false, nil
		}
		return configmap.NewHolder(OwnerOf(o, "v1", "ReplicationController"), true, o.Spec.Template), true, nil
	case *appsv1.ControllerRevision:
		template, is, err := podtemplate.OfRevision(o)
		if !is || err != nil {
			return configmap.Holder{}, false, err
		}
		return configmap.NewHolder(OwnerOf(o, "apps/v1", "ControllerRevision"), false, template), true, nil
	case *corev1.Pod:
		owner := metav1.OwnerReference{}
		if metav1.GetControllerOfNoCopy(o) == nil {
			owner = OwnerOf(o, "v1", "Pod")
		}
		template := &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Annotations: o.Annotations}, Spec: o.Spec}
		return configmap.NewHolder(owner, false, template), true, nil
	}
	return configmap.Holder{}, false, nil
}

// holderOfWorkload returns the holder for a workload. It also needs the version that the note of its open rollout names.
func holderOfWorkload(w workload.Object) configmap.Holder {
	holder := configmap.NewHolder(OwnerOf(w, "apps/v1", workload.KindOf(w)), true, workload.TemplateOf(w))
	if _, record, err := rollout.OpenIn(w); err == nil {
		if note := NoteOf(record); note != nil {
			holder.Add(note.Version(note.Before))
		}
	}
	return holder
}

// OwnerOf returns an owner reference for the garbage collector. It does not block the deletion of the owner.
func OwnerOf(object metav1.Object, version, kind string) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: version, Kind: kind, Name: object.GetName(), UID: object.GetUID()}
}
