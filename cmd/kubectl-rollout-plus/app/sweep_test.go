package app

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// A revision needs what it owns, though its template does not name it; a workload and a pod do not.
func TestNeedOwned(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		holder metav1.OwnerReference
		owned  []metav1.OwnerReference
		is     bool
		want   bool // it goes
	}{
		"a revision that owns it":      {holder: ownerReference("rs", nil), owned: []metav1.OwnerReference{ownerReference("rs", nil)}},
		"a revision that does not":     {holder: ownerReference("rs", nil), owned: []metav1.OwnerReference{ownerReference("other", nil)}, want: true},
		"a workload that owns it":      {holder: ownerReference("web", nil), owned: []metav1.OwnerReference{ownerReference("web", nil)}, is: true, want: true},
		"a pod, and a nameless owner":  {owned: []metav1.OwnerReference{ownerReference("", nil)}, want: true},
		"a revision, and nobody's own": {holder: ownerReference("rs", nil), want: true},
	} {
		kept := configmap.Kept{Object: configmap.Object{Kind: configmap.ConfigMap, Name: "web-1"}, Meta: metav1.ObjectMeta{
			CreationTimestamp: metav1.NewTime(made), OwnerReferences: c.owned,
		}}
		holders := []configmap.Holder{configmap.NewHolder(c.holder, c.is, &corev1.PodTemplateSpec{})}
		needOwned(holders, &kept)
		if got := kept.Keep(holders, configmap.Settled{}, made.Add(time.Hour)).Unneeded; got != c.want {
			t.Errorf("%s: unneeded is %t", name, got)
		}
	}
}
