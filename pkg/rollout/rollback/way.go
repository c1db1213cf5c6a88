package rollback

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// withoutFailed leaves out revisions that are known to have failed. It keeps the newest one, which is the one to leave. If
// the user asks for a revision, it keeps all.
func withoutFailed[R any, P interface {
	*R
	metav1.Object
}](r *Rollback, revisions []R, number func(P) int64) []R {
	r.skipped = nil
	var newest int64
	for i := range revisions {
		if metav1.IsControlledBy(P(&revisions[i]), r.live) {
			newest = max(newest, number(&revisions[i]))
		}
	}
	if r.ToRevision > 0 {
		return revisions
	}
	return slices.DeleteFunc(slices.Clone(revisions), func(revision R) bool {
		of := number(&revision)
		failed := of < newest && metav1.IsControlledBy(P(&revision), r.live) && workload.HasFailed(P(&revision), of)
		if failed {
			r.skipped = append(r.skipped, of)
		}
		return failed
	})
}

// Way describes from which revision to which a rollback goes, with their images. It returns "" if nothing was to be
// written.
func (r *Rollback) Way(name string) string {
	if r.chosen == nil || r.live == nil {
		return ""
	}
	kind := types.StrategicMergePatchType
	var from, to int64
	if d, is := r.live.(*appsv1.Deployment); is {
		kind, from = types.JSONPatchType, workload.RevisionOf(d)
	}
	template, err := templateOfPatch(kind, r.chosen)
	if err != nil {
		return ""
	}
	for i := range r.replicaSets {
		rs := &r.replicaSets[i]
		if metav1.IsControlledBy(rs, r.live) && workload.SameTemplate(&rs.Spec.Template, template) {
			to = workload.RevisionOf(rs)
		}
	}
	if r.target != nil {
		to = r.target.Revision
	}
	for i := range r.revisions {
		if metav1.IsControlledBy(&r.revisions[i], r.live) {
			from = max(from, r.revisions[i].Revision)
		}
	}
	return fmt.Sprintf("%s goes back from revision %d (%s) to revision %d (%s)", name, from, images(workload.TemplateOf(r.live)),
		cmp.Or(r.ToRevision, to), images(template))
}

func images(template *corev1.PodTemplateSpec) string {
	return strings.Join(podtemplate.ImagesOf(template), ", ")
}
