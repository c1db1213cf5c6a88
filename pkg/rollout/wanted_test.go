package rollout

import (
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
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
		result, err := b.engine.Start(t.Context(), worldKey, ofManifest(), inSteps)
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
		_, err := b.engine.Start(t.Context(), worldKey, change, inSteps)
		if err == nil || !strings.Contains(err.Error(), "does not know") || *applied != 0 {
			t.Errorf("got %v, applied %d times", err, *applied)
		}
		unstructured.RemoveNestedField(change.Manifest.Object, "spec", "template", "spec", "future")
		result, err := b.engine.Start(t.Context(), worldKey, change, inSteps)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Unchanged, "already is the wanted one")
	})
}

// To own the manifest's fields takes an apply after the write that began the rollout: it finds what that write left, or does
// not happen.
func TestAManifestIsAppliedToNothingButItsOwnRollout(t *testing.T) {
	for name, test := range map[string]struct {
		meanwhile func(b *bench)
		outcome   Outcome
		message   string
		image     string
		applied   int
	}{
		"a status is written": {func(b *bench) { b.restate() }, Done, "", "web:2", 2},
		"somebody goes back": {func(b *bench) {
			next := b.d.DeepCopy()
			record, _ := decodeRecord(next.Annotations[Annotation])
			delete(next.Annotations, Annotation)
			next.Spec.Template.Spec.Containers[0].Image = "web:1"
			next.Spec.Strategy, next.Spec.MinReadySeconds = record.Original.Strategy, record.Original.MinReadySeconds
			next.Spec.ProgressDeadlineSeconds = record.Original.ProgressDeadlineSeconds
			b.storeDeployment(next)
		}, RolledBack, "", "web:1", 1},
		// The controller has not seen the manifest's: what it sees first is the new version, and goes step by step.
		"another image is set": {func(b *bench) {
			b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Template.Spec.Containers[0].Image = "web:3" })
		}, Done, "", "web:3", 1},
		"it is deleted": {func(b *bench) {
			gone := b.d
			b.d = nil
			b.send(watch.Deleted, gone)
		}, Deleted, "was deleted", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				applied := b.atApply(false, func() { test.meanwhile(b) })
				result, err := b.engine.Start(t.Context(), worldKey, ofManifest(), inSteps)
				if err != nil {
					t.Fatal(err)
				}
				wantOutcome(t, result, test.outcome, test.message)
				b.mu.Lock()
				defer b.mu.Unlock()
				switch {
				case b.d == nil && test.image == "":
				case b.d == nil || imageOfTemplate(b.d) != test.image:
					t.Errorf("left with %v", b.d)
				}
				if *applied != test.applied {
					t.Errorf("applied %d times, want %d", *applied, test.applied)
				}
			})
		})
	}
}
