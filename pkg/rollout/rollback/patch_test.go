package rollback

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const (
	applied = corev1.LastAppliedConfigAnnotation
	why     = workload.ChangeCauseAnnotation
	// manifestV2 is what kubectl apply remembers of a manifest.
	manifestV2 = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":3,"template":{"spec":{"containers":[{"image":"web:v2","name":"app"}]}}}}` + "\n"
	manifestV1 = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":3,"template":{"spec":{"containers":[{"image":"web:v1","name":"app"}]}}}}` + "\n"
	templateV1 = `{"metadata":{"creationTimestamp":null},"spec":{"containers":[{"name":"app","image":"web:v1"}],"restartPolicy":"Always"}}`
)

func TestAdditionOfADeployment(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit          addition
		annotations   map[string]string
		wantAnnotated map[string]string
	}{
		"the revision's own cause": {
			annotations: map[string]string{why: "one", "a": "b"}, wantAnnotated: map[string]string{why: "one", "a": "b"},
		},
		"a cause that is given": {
			edit: addition{cause: ptr.To("because")}, annotations: map[string]string{why: "one"}, wantAnnotated: map[string]string{why: "because"},
		},
		"no cause, expressly": {
			edit: addition{cause: ptr.To("")}, annotations: map[string]string{why: "one"}, wantAnnotated: map[string]string{},
		},
		"a record of ours on the ReplicaSet": {
			annotations: map[string]string{rollout.Annotation: "{}"}, wantAnnotated: map[string]string{},
		},
		"last-applied as it is": {
			annotations: map[string]string{applied: manifestV2}, wantAnnotated: map[string]string{applied: manifestV2},
		},
		"last-applied in step": {
			edit: addition{syncLastApplied: true}, annotations: map[string]string{applied: manifestV2}, wantAnnotated: map[string]string{applied: manifestV1},
		},
		"last-applied that does not parse": {
			edit: addition{syncLastApplied: true}, annotations: map[string]string{applied: "{"}, wantAnnotated: map[string]string{applied: "{"},
		},
		"last-applied of something else": {
			edit: addition{syncLastApplied: true}, annotations: map[string]string{applied: `{"spec":{}}`}, wantAnnotated: map[string]string{applied: `{"spec":{}}`},
		},
		"nothing applied": {edit: addition{syncLastApplied: true}, annotations: map[string]string{}, wantAnnotated: map[string]string{}},
	} {
		annotations, err := json.Marshal(c.annotations)
		if err != nil {
			t.Fatal(err)
		}
		body := `[{"op":"replace","path":"/spec/template","value":` + templateV1 + `},{"op":"replace","path":"/metadata/annotations","value":` + string(annotations) + `}]`
		c.edit.resourceVersion = "7"
		edited, err := c.edit.edit(types.JSONPatchType, []byte(body))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var operations []struct {
			Op, Path string
			Value    json.RawMessage
		}
		if err := json.Unmarshal(edited, &operations); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		if err := json.Unmarshal(operations[2].Value, &got); err != nil {
			t.Fatal(err)
		}
		if len(operations) != 3 || operations[0].Path != "/metadata/resourceVersion" || string(operations[0].Value) != `"7"` ||
			operations[1].Op != "replace" || string(operations[1].Value) != templateV1 {
			t.Errorf("%s: %s", name, edited)
		}
		if !reflect.DeepEqual(got, c.wantAnnotated) {
			t.Errorf("%s: annotations %v, not %v", name, got, c.wantAnnotated)
		}
	}
}

func TestAdditionOfOthers(t *testing.T) {
	t.Parallel()
	const spec = `{"template":{"$patch":"replace","metadata":{"creationTimestamp":null},"spec":{"containers":[{"name":"app","image":"web:v1"}]}}}`
	for name, c := range map[string]struct {
		edit addition
		want string
	}{
		"nothing to add":          {addition{}, ``},
		"no cause, as before":     {addition{live: map[string]string{"a": "b"}}, ``},
		"a stale cause":           {addition{live: map[string]string{why: "two", "a": "b"}}, `"annotations":{"` + why + `":null},`},
		"the revision's cause":    {addition{live: map[string]string{why: "two"}, revisionCause: "one"}, `"annotations":{"` + why + `":"one"},`},
		"the same cause":          {addition{live: map[string]string{why: "one"}, revisionCause: "one"}, ``},
		"a cause that is given":   {addition{cause: ptr.To("because"), revisionCause: "one"}, `"annotations":{"` + why + `":"because"},`},
		"no cause, expressly":     {addition{live: map[string]string{why: "two"}, cause: ptr.To(""), revisionCause: "one"}, `"annotations":{"` + why + `":null},`},
		"last-applied as it is":   {addition{live: map[string]string{applied: manifestV2}}, ``},
		"last-applied in step":    {addition{live: map[string]string{applied: manifestV2}, syncLastApplied: true}, `"annotations":{"` + applied + `":` + quoted(manifestV1) + `},`},
		"last-applied unreadable": {addition{live: map[string]string{applied: "no"}, syncLastApplied: true}, ``},
	} {
		c.edit.resourceVersion = "7"
		edited, err := c.edit.edit(types.StrategicMergePatchType, []byte(`{"spec":`+spec+`}`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := `{"metadata":{` + c.want + `"resourceVersion":"7"},"spec":` + spec + `}`; string(edited) != want {
			t.Errorf("%s:\n%s, not\n%s", name, edited, want)
		}
	}
}

func quoted(value string) string {
	body, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func TestAdditionRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for kind, body := range map[types.PatchType]string{
		types.JSONPatchType: `[]`, types.StrategicMergePatchType: `{`, types.MergePatchType: `{}`,
	} {
		if edited, err := (&addition{}).edit(kind, []byte(body)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s %s: %s, %v", kind, body, edited, err)
		}
	}
}

func TestWithPatch(t *testing.T) {
	t.Parallel()
	owner := &appsv1.StatefulSet{}
	owner.UID = "set"
	revision := func(number int64, data, cause string, uid types.UID) appsv1.ControllerRevision {
		controls := true
		r := appsv1.ControllerRevision{Revision: number}
		r.Data.Raw, r.Annotations = []byte(data), map[string]string{why: cause}
		r.OwnerReferences = append(r.OwnerReferences, ownerReference(uid, &controls))
		return r
	}
	revisions := []appsv1.ControllerRevision{
		revision(1, "a", "one", "set"), revision(4, "a", "four", "set"), revision(2, "b", "two", "set"), revision(5, "a", "five", "other"),
	}
	for patch, want := range map[string]int64{"a": 4, "b": 2, "c": 0} {
		got := withPatch(revisions, []byte(patch), owner)
		if got == nil && want != 0 || got != nil && got.Revision != want {
			t.Errorf("%s: %v, not %d", patch, got, want)
		}
	}
}

// What kubectl rollout restart notes in a template is nobody's manifest.
func TestLastAppliedHasNoRestart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ annotations, want string }{
		"alone":          {`{"kubectl.kubernetes.io/restartedAt":"now"}`, `{"labels":{"app":"web"}}`},
		"beside another": {`{"a":"b","kubectl.kubernetes.io/restartedAt":"now"}`, `{"annotations":{"a":"b"},"labels":{"app":"web"}}`},
		"none":           {`{"a":"b"}`, `{"annotations":{"a":"b"},"labels":{"app":"web"}}`},
	} {
		var template map[string]any
		if err := json.Unmarshal([]byte(`{"metadata":{"labels":{"app":"web"},"annotations":`+test.annotations+`}}`), &template); err != nil {
			t.Fatal(err)
		}
		got, ok := WithTemplate(`{"spec":{"template":{}}}`, template)
		if want := `{"spec":{"template":{"metadata":` + test.want + `}}}` + "\n"; !ok || got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
