package rollback

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func ownerReference(uid types.UID, controls *bool) metav1.OwnerReference {
	return metav1.OwnerReference{UID: uid, Controller: controls}
}

func containsAll(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

func templateOf(image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}},
	}
}

// webOf is a Deployment with this image, its generation and the one that the controller has observed.
func webOf(image string, generation, observed int64) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Name: "web", Namespace: "ns", UID: "web", Generation: generation, ResourceVersion: strconv.FormatInt(100+generation, 10),
			Annotations: map[string]string{workload.RevisionAnnotation: "1"},
		},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}, Template: templateOf(image),
		},
		Status: appsv1.DeploymentStatus{ObservedGeneration: observed},
	}
}

// revisionsOf are the ReplicaSets of a Deployment, with their images by revision from 1.
func revisionsOf(images ...string) []appsv1.ReplicaSet {
	var list []appsv1.ReplicaSet
	controls := true
	for i, image := range images {
		if image == "" {
			continue
		}
		rs := appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
			Name: "web-" + strconv.Itoa(i+1), Namespace: "ns", UID: types.UID(image), Labels: map[string]string{"app": "web"},
			Annotations:     map[string]string{workload.RevisionAnnotation: strconv.Itoa(i + 1)},
			OwnerReferences: []metav1.OwnerReference{ownerReference("web", &controls)},
		}, Spec: appsv1.ReplicaSetSpec{Replicas: ptr.To[int32](0), Template: templateOf(image)}}
		list = append(list, rs)
	}
	return list
}

func TestHasNewestRevision(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		image  string
		images []string
		want   bool
	}{
		"the newest":                     {"v2", []string{"v1", "v2"}, true},
		"the only one":                   {"v1", []string{"v1"}, true},
		"none yet":                       {"v3", []string{"v1", "v2"}, false},
		"an old one, not yet renumbered": {"v1", []string{"v1", "v2"}, false},
		"none at all":                    {"v1", nil, false},
	} {
		if got := hasNewestRevision(webOf(c.image, 1, 1), revisionsOf(c.images...)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// controlled is a cluster whose Deployment's controller acts after a while, never where that is 0.
func controlled(t *testing.T, after time.Duration, before, then *appsv1.Deployment, images, thenImages []string) *fake.Clientset {
	t.Helper()
	client, began := fake.NewClientset(), time.Now()
	acted := func() bool { return after > 0 && time.Since(began) >= after }
	client.PrependReactor("get", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		if acted() {
			return true, then.DeepCopy(), nil
		}
		return true, before.DeepCopy(), nil
	})
	client.PrependReactor("list", "replicasets", func(clienttesting.Action) (bool, runtime.Object, error) {
		if acted() {
			return true, &appsv1.ReplicaSetList{Items: revisionsOf(thenImages...)}, nil
		}
		return true, &appsv1.ReplicaSetList{Items: revisionsOf(images...)}, nil
	})
	client.PrependWatchReactor("deployments", func(clienttesting.Action) (bool, watch.Interface, error) {
		events := watch.NewRaceFreeFake()
		if after > 0 {
			time.AfterFunc(after, func() { events.Modify(then.DeepCopy()) })
		}
		return true, events, nil
	})
	return client
}

// patchedBy is a Deployment with the pod template of a JSON patch.
func patchedBy(action clienttesting.Action, d *appsv1.Deployment) *appsv1.Deployment {
	patched := d.DeepCopy()
	var operations []struct {
		Path  string
		Value json.RawMessage
	}
	err := json.Unmarshal(action.(clienttesting.PatchAction).GetPatch(), &operations) //nolint:forcetypeassert // a test
	for _, operation := range operations {
		if operation.Path == "/spec/template" && err == nil {
			patched.Spec.Template = corev1.PodTemplateSpec{}
			err = json.Unmarshal(operation.Value, &patched.Spec.Template)
		}
	}
	if err != nil {
		panic(err)
	}
	return patched
}

// recreated is a Deployment whose controller makes the ReplicaSet of its template only once all other pods have ended.
func recreated(d *appsv1.Deployment) *appsv1.Deployment {
	d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
	return d
}

func TestRollbackWaitsForTheController(t *testing.T) {
	t.Parallel()
	deployments := appsv1.SchemeGroupVersion.WithKind("Deployment").GroupKind()
	for name, c := range map[string]struct {
		after              time.Duration
		before, then       *appsv1.Deployment
		images, thenImages []string
	}{
		"at once":                     {0, webOf("v3", 3, 3), nil, []string{"v1", "v2", "v3"}, nil},
		"not observed":                {time.Second, webOf("v3", 3, 2), webOf("v3", 3, 3), []string{"v1", "v2"}, []string{"v1", "v2", "v3"}},
		"observed, but no ReplicaSet": {time.Second, webOf("v3", 3, 3), webOf("v3", 3, 3), []string{"v1", "v2"}, []string{"v1", "v2", "v3"}},
		"observed, and withheld":      {0, recreated(webOf("v3", 3, 3)), nil, []string{"v1", "v2"}, nil},
		"withheld, not yet observed":  {time.Second, recreated(webOf("v3", 3, 2)), recreated(webOf("v3", 3, 3)), []string{"v1"}, []string{"v1", "v2"}},
		"to be renumbered, withheld":  {time.Second, recreated(webOf("v3", 3, 3)), recreated(webOf("v3", 3, 3)), []string{"v3", "v2"}, []string{"", "v2", "v3"}},
		"observed, not renumbered":    {time.Second, webOf("v3", 3, 3), webOf("v3", 3, 3), []string{"v3", "v2"}, []string{"", "v2", "v3"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := controlled(t, c.after, c.before, c.then, c.images, c.thenImages)
				var patched string
				client.PrependReactor("patch", "deployments", func(action clienttesting.Action) (bool, runtime.Object, error) {
					patched = string(action.(clienttesting.PatchAction).GetPatch())
					return true, patchedBy(action, c.before), nil
				})
				r := &Rollback{Client: client}
				done, err := r.Run(t.Context(), deployments, c.before)
				if err != nil || done != "rolled back" || !containsAll(patched, `"image":"v2"`, `{"op":"add","path":"/metadata/resourceVersion","value":"103"}`) {
					t.Errorf("%q, %v: %s", done, err, patched)
				}
			})
		})
	}
}

// A controller notes a cause on a revision that it uses again only where it is that of a Deployment, and takes none away.
func TestWhichRevisionIsLeftWithItsCause(t *testing.T) {
	t.Parallel()
	revision := &appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Name: "db-1"}}
	web := &Rollback{answer: webOf("v1", 4, 4), replicaSets: revisionsOf("v1", "v2", "v3")}
	for name, c := range map[string]struct {
		r           *Rollback
		cause, want string
	}{
		"a Deployment":                     {web, "because", ""},
		"a Deployment, a cause taken away": {web, "", "web-1"},
		"a StatefulSet":                    {&Rollback{answer: &appsv1.StatefulSet{}, target: revision}, "because", "db-1"},
		"a StatefulSet, taken away":        {&Rollback{answer: &appsv1.StatefulSet{}, target: revision}, "", "db-1"},
		"one that makes a new revision":    {&Rollback{answer: &appsv1.StatefulSet{}}, "because", ""},
	} {
		got := ""
		if left := c.r.uncaused(c.cause); left != nil {
			got = left.GetName()
		}
		if got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

// There is nothing to go back to where the first revision is withheld.
func TestRollbackOfAFirstRevisionThatIsWithheld(t *testing.T) {
	t.Parallel()
	d := recreated(webOf("v1", 1, 1))
	r := &Rollback{Client: controlled(t, 0, d, nil, nil, nil)}
	_, err := r.Run(t.Context(), appsv1.SchemeGroupVersion.WithKind("Deployment").GroupKind(), d)
	if err == nil || !strings.HasPrefix(err.Error(), `no rollout history found for deployment "web"`) || !errors.As(err, new(*RefusedError)) {
		t.Errorf("%v", err)
	}
}

func TestRollbackGivesUp(t *testing.T) {
	t.Parallel()
	kind := appsv1.SchemeGroupVersion.WithKind("Deployment").GroupKind()
	synctest.Test(t, func(t *testing.T) {
		d, began := webOf("v3", 3, 2), time.Now()
		r := &Rollback{Client: controlled(t, 0, d, nil, []string{"v1", "v2"}, nil)}
		_, err := r.Run(t.Context(), kind, d)
		if err == nil || time.Since(began) != ObserveTimeout || !containsAll(err.Error(), `deployment "web" in namespace "ns" was not rolled back`, "10s") {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		d := webOf("v3", 3, 2)
		errTimeout := errors.New("timeout")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTimeout)
		defer cancel()
		r := &Rollback{Client: controlled(t, 0, d, nil, []string{"v1", "v2"}, nil)}
		if _, err := r.Run(ctx, kind, d); !errors.Is(err, errTimeout) {
			t.Errorf("not the command's own timeout: %v", err)
		}
	})
}

// A conflict is answered by computing the rollback again, but not for ever; a missing right to watch is named.
func TestRollbackRefused(t *testing.T) {
	t.Parallel()
	kind := appsv1.SchemeGroupVersion.WithKind("Deployment").GroupKind()
	d := webOf("v3", 3, 3)
	for conflicts, want := range map[int]bool{0: true, kube.ConflictTries - 1: true, kube.ConflictTries: false} {
		client, tries := controlled(t, 0, d, nil, []string{"v1", "v2", "v3"}, nil), 0
		client.PrependReactor("patch", "deployments", func(action clienttesting.Action) (bool, runtime.Object, error) {
			if tries++; tries <= conflicts {
				return true, nil, apierrors.NewConflict(appsv1.Resource("deployments"), "web", errors.New("changed"))
			}
			return true, patchedBy(action, d), nil
		})
		r := &Rollback{Client: client, DryRun: cmdutil.DryRunNone}
		if _, err := r.Run(t.Context(), kind, d); (err == nil) != want {
			t.Errorf("%d conflicts: %v", conflicts, err)
		}
	}
	d = webOf("v3", 3, 2)
	client := controlled(t, 0, d, nil, nil, nil)
	client.PrependWatchReactor("deployments", func(clienttesting.Action) (bool, watch.Interface, error) {
		return true, nil, apierrors.NewForbidden(appsv1.Resource("deployments"), "web", errors.New("no"))
	})
	r := &Rollback{Client: client}
	if _, err := r.Run(t.Context(), kind, d); err == nil || !containsAll(err.Error(), `the right to watch deployments in namespace "ns" is missing`) {
		t.Errorf("%v", err)
	}
}

// What somebody else has gone back to meanwhile is not left again; a revision that is named is gone to whatever happens.
func TestRollbackOvertaken(t *testing.T) {
	t.Parallel()
	kind := appsv1.SchemeGroupVersion.WithKind("Deployment").GroupKind()
	seen, now := webOf("v3", 3, 3), webOf("v2", 4, 4)
	for toRevision, want := range map[int64]error{0: ErrOvertaken, 1: nil} {
		client := controlled(t, 0, now, nil, []string{"v1", "", "v3", "v2"}, nil)
		written := false
		client.PrependReactor("patch", "deployments", func(action clienttesting.Action) (bool, runtime.Object, error) {
			written = true
			return true, patchedBy(action, now), nil
		})
		r := &Rollback{Client: client, ToRevision: toRevision}
		_, err := r.Run(t.Context(), kind, seen)
		if written != (want == nil) || !errors.Is(err, want) {
			t.Errorf("to revision %d: %v, written: %v", toRevision, err, written)
		}
	}
}

// A revision that is named needs no controller that has observed the newest template.
func TestRollbackToARevisionWithoutAController(t *testing.T) {
	t.Parallel()
	kind := appsv1.SchemeGroupVersion.WithKind("Deployment").GroupKind()
	synctest.Test(t, func(t *testing.T) {
		d, began := webOf("v3", 3, 2), time.Now()
		client := controlled(t, 0, d, nil, []string{"v1", "v2"}, nil)
		patched := ""
		client.PrependReactor("patch", "deployments", func(action clienttesting.Action) (bool, runtime.Object, error) {
			patched = string(action.(clienttesting.PatchAction).GetPatch())
			return true, patchedBy(action, d), nil
		})
		r := &Rollback{Client: client, ToRevision: 1}
		if _, err := r.Run(t.Context(), kind, d); err != nil || time.Since(began) > 0 || !strings.Contains(patched, `"image":"v1"`) {
			t.Errorf("after %s: %v: %s", time.Since(began), err, patched)
		}
	})
}
