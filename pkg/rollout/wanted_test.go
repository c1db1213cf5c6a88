package rollout

import (
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

// ofManifest is a change to a manifest of the world's Deployment with another image.
func ofManifest() Change {
	labels := map[string]any{"app": worldName}
	return Change{Manifest: &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": worldName},
		"spec": map[string]any{
			"selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{
				"metadata": map[string]any{"labels": labels},
				"spec":     map[string]any{"containers": []any{map[string]any{"name": "app", "image": "web:2"}}},
			},
		},
	}}}
}

// atApply does something right before the first apply of a sort gets to the API server. It counts those that do.
func (b *bench) atApply(dryRun bool, do func()) *int {
	count := new(int)
	b.change(func() {
		b.refuse = func(request *http.Request) error {
			if isApply(request) && isDryRun(request) == dryRun {
				if *count++; *count == 1 {
					do()
				}
			}
			return nil
		}
	})
	return count
}

// restate is the controller's write of a status.
func (b *bench) restate() {
	next := b.d.DeepCopy()
	next.Status.CollisionCount = new(int32)
	b.storeDeployment(next)
}

func TestAStatusDoesNotKeepAManifestFromItsRollout(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.atApply(true, b.restate)
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, ofManifest(), inSteps)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Done, "")
		b.wantWhole(t, "web:2")
	})
}

// The controller knows fields that this client does not, and would roll them out without a gate.
func TestAManifestThatChangesOnlyUnknownFieldsIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		applied := b.atApply(false, func() {})
		change := ofManifest()
		if err := unstructured.SetNestedField(change.Manifest.Object, "x", "spec", "template", "spec", "future"); err != nil {
			t.Fatal(err)
		}
		containers := []any{map[string]any{"name": "app", "image": "web:1", "resources": map[string]any{}}}
		if err := unstructured.SetNestedSlice(change.Manifest.Object, containers, "spec", "template", "spec", "containers"); err != nil {
			t.Fatal(err)
		}
		_, err := b.engine.Start(t.Context(), "Deployment", worldKey, change, inSteps)
		if err == nil || !strings.Contains(err.Error(), "does not know") || *applied != 0 {
			t.Errorf("got %v, applied %d times", err, *applied)
		}
		unstructured.RemoveNestedField(change.Manifest.Object, "spec", "template", "spec", "future")
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, change, inSteps)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Unchanged, "already is the wanted one")
	})
}

// The apply that begins a rollout finds what the manifest was tried on, or does not happen.
func TestAManifestIsAppliedToNothingButWhatItWasTriedOn(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile func(b *bench)
		image     string
		applied   int
	}{
		"a status is written": {func(b *bench) { b.restate() }, "web:2", 2},
		"another field is set": {func(b *bench) {
			b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.RevisionHistoryLimit = new(int32(3)) })
		}, "web:2", 2},
		"it is deleted": {func(b *bench) {
			gone := b.d
			b.d = nil
			b.send(watch.Deleted, gone)
		}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				applied := b.atApply(false, func() { test.meanwhile(b) })
				result, err := b.engine.Start(t.Context(), "Deployment", worldKey, ofManifest(), StartOptions{Steps: inSteps.Steps, OnFailure: plan.OnFailureRollback, SkipChecks: true})
				b.mu.Lock()
				defer b.mu.Unlock()
				switch {
				case test.image == "":
					if !apierrors.IsNotFound(err) || b.d != nil {
						t.Errorf("got %v, %v, left with %v", result, err, b.d)
					}
				case err != nil:
					t.Fatal(err)
				case result.Outcome != Done || imageOfTemplate(b.d) != test.image:
					t.Errorf("got %v, left with %v", result, b.d)
				}
				if *applied != test.applied {
					t.Errorf("applied %d times, want %d", *applied, test.applied)
				}
			})
		})
	}
}
