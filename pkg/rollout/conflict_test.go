package rollout

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestConflictsWithOthers(t *testing.T) {
	t.Parallel()
	const image, surge = `.spec.template.spec.containers[name="app"].image`, ".spec.strategy.rollingUpdate.maxSurge"
	conflict := func(with, field string) metav1.StatusCause {
		return metav1.StatusCause{Type: metav1.CauseTypeFieldManagerConflict, Message: "conflict with " + with, Field: field}
	}
	mayTake := func(manager string, operation metav1.ManagedFieldsOperationType) bool {
		return manager == "ours" || manager == `our "own"` || manager == "former" && operation == metav1.ManagedFieldsOperationApply
	}
	for name, test := range map[string]struct {
		causes []metav1.StatusCause
		// want are texts of the error that is left; none is left without them.
		want, gone []string
	}{
		"an own update":            {causes: []metav1.StatusCause{conflict(`"ours" using apps/v1 at 2026-11-30T16:00:00Z`, image)}},
		"an own update, undated":   {causes: []metav1.StatusCause{conflict(`"ours" using apps/v1`, image)}},
		"an own apply":             {causes: []metav1.StatusCause{conflict(`"ours"`, image)}},
		"an own name in quotes":    {causes: []metav1.StatusCause{conflict(`"our \"own\"" using apps/v1`, image)}},
		"an apply under a former":  {causes: []metav1.StatusCause{conflict(`"former"`, image)}},
		"an update under a former": {causes: []metav1.StatusCause{conflict(`"former" using apps/v1`, image)}, want: []string{"from the server"}},
		"own, by a subresource": {
			causes: []metav1.StatusCause{conflict(`"ours" with subresource "scale" using apps/v1`, ".spec.replicas")},
			want:   []string{"from the server"},
		},
		"a name that contains the own one": {causes: []metav1.StatusCause{conflict(`"not-ours" using apps/v1`, image)}, want: []string{"from the server"}},
		"own ones and another": {
			causes: []metav1.StatusCause{conflict(`"ours" using apps/v1`, image), conflict(`"helm"`, surge)},
			want:   []string{`1 conflict: conflict with "helm": ` + surge, "--force-conflicts"}, gone: []string{"ours", image},
		},
		"own ones and two others": {
			causes: []metav1.StatusCause{conflict(`"ours"`, ".spec.paused"), conflict(`"helm"`, surge), conflict(`"ed" using apps/v1`, image), conflict(`"helm"`, image)},
			want:   []string{"3 conflicts: conflicts with \"ed\" using apps/v1:\n- " + image + "\nconflicts with \"helm\":\n- " + surge + "\n- " + image}, gone: []string{"ours"},
		},
	} {
		err := conflictsWithOthers(apierrors.NewApplyConflict(test.causes, "from the server"), mayTake)
		var owned *ApplyConflictError
		if (err != nil) != (test.want != nil) || err != nil && (!errors.As(err, &owned) || !apierrors.IsConflict(err)) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, text := range test.want {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v\nhas not %s", name, err, text)
			}
		}
		for _, text := range test.gone {
			if strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v\nhas %s", name, err, text)
			}
		}
	}
	if err := conflictsWithOthers(apierrors.NewNotFound(metav1.SchemeGroupVersion.WithResource("deployments").GroupResource(), "web"), mayTake); !apierrors.IsNotFound(err) {
		t.Errorf("another error became %v", err)
	}
}
