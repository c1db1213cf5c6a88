package restore

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// CheckThere returns an error if the template needs an object that is gone, since its pods could not start. In lenient mode
// it checks only versions, without which there is nothing to restore. It skips objects that may not be read.
func (r *Restoration) CheckThere(ctx context.Context, template *corev1.PodTemplateSpec) error {
	for _, object := range required(&template.Spec) {
		_, _, version := configmap.SplitName(object.Name)
		if _, found := r.kept[object]; found || r.Lenient && !version {
			continue
		}
		err := r.Versions.There(ctx, object)
		switch {
		case context.Cause(ctx) != nil:
			return context.Cause(ctx)
		case err == nil || apierrors.IsForbidden(err):
			continue
		case !apierrors.IsNotFound(err):
			return fmt.Errorf("cannot see whether %s is in namespace %q: %w", object, r.Namespace, err)
		}
		held := ""
		for _, recorded := range configmap.Recorded(template.Annotations) {
			if kept, found := r.kept[recorded]; found && kept.Head == object {
				held = fmt.Sprintf(" (%s has what it held)", recorded)
			}
		}
		return fmt.Errorf("nothing was written: that revision of %s needs %s, which is not in namespace %q; "+
			"create it first%s, %s", workload.NameOf(r.Of), object, r.Namespace, held, r.advice.Missing)
	}
	return nil
}

// tellAbsent reports heads that did not exist when the pods of a revision were rolled out. It does not delete them.
func (r *Restoration) tellAbsent(ctx context.Context, leaving *configmap.Holder, template *corev1.PodTemplateSpec) error {
	told := map[configmap.Object]bool{}
	for _, use := range configmap.Uses(template) {
		if use.Version != configmap.Absent || told[use.Head] || leaving.IsAbsent(use.Head) {
			continue
		}
		told[use.Head] = true
		switch err := r.Versions.There(ctx, use.Head); {
		case err == nil:
			r.Emit.Note("%s was not there in that revision; it stays as it is, and pods start with it", use.Head)
		case context.Cause(ctx) != nil:
			return context.Cause(ctx)
		}
	}
	return nil
}

// required returns the objects without which some container of a pod does not start.
func required(spec *corev1.PodSpec) []configmap.Object {
	var all []configmap.Object
	for _, reference := range configmap.References(spec) {
		used := reference.Container != "" && reference.Configures() // a volume that no container mounts is not set up
		if used && !reference.Optional && !slices.Contains(all, reference.Object) {
			all = append(all, reference.Object)
		}
	}
	return all
}
