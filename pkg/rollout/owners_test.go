package rollout

import (
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/ownership"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// endedRollout leaves the Deployment as a process does that is killed before it has returned the owners: helm had the
// strategy.
func (b *bench) endedRollout(t *testing.T) {
	t.Helper()
	strategy := metav1.NewFieldsV1(`{"f:spec":{"f:strategy":{"f:type":{}}}}`)
	record := Record{
		SchemaVersion: recordVersion, Ended: Done, Step: 1, Plan: plan.Plan{Steps: plan.Steps{intstr.FromString("100%")}},
		Owners: &ownership.Owners{Writers: []string{"test"}, Before: []ownership.Owner{
			{Manager: "helm", Operation: metav1.ManagedFieldsOperationApply, APIVersion: "apps/v1", Fields: strategy},
		}},
	}
	text, err := record.encode()
	if err != nil {
		t.Fatal(err)
	}
	b.change(func() {
		d := b.d.DeepCopy()
		d.Annotations[Annotation] = text
		d.ManagedFields = []metav1.ManagedFieldsEntry{
			{
				Manager: "helm", Operation: metav1.ManagedFieldsOperationApply, APIVersion: "apps/v1", FieldsType: "FieldsV1",
				FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:replicas":{}}}`),
			},
			{Manager: "test", Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "apps/v1", FieldsType: "FieldsV1", FieldsV1: strategy},
		}
		b.storeDeployment(d)
	})
}

// Whoever comes next returns the owners that a killed process has left, and tries again where others write first.
func TestOwnersOfAKilledRolloutAreReturned(t *testing.T) {
	for name, refused := range map[string]int{"at once": 0, "after conflicts": 3, "never": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.endedRollout(t)
				tries := 0
				b.refusesWrites(conflict("deployments", worldName), func() bool { tries++; return tries <= refused })
				if _, err := b.engine.Abort(t.Context(), "Deployment", worldKey); !errors.Is(err, ErrNoRollout) {
					t.Fatalf("the abort of an ended rollout gives %v", err)
				}
				told, done := b.messages("do not own them again"), refused < kube.ConflictTries
				if done != (told == 0) || tries > kube.ConflictTries {
					t.Errorf("told %d times, after %d tries", told, tries)
				}
				b.change(func() {
					if _, kept := b.d.Annotations[Annotation]; kept == done {
						t.Errorf("the record is kept: %v", kept)
					}
					if len(b.d.ManagedFields) != 1 && done || len(b.d.ManagedFields) != 2 && !done {
						t.Errorf("the owners are %v", b.d.ManagedFields)
					}
				})
			})
		})
	}
}
