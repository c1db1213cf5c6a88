package history

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// made is when a revision of the tests was created, in seconds.
func made(seconds int64) metav1.Time { return metav1.Unix(1_700_000_000+seconds, 0) }

func templateText(image string) string {
	return `{metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "` + image + `"}], new-field: {kept: 1}}}`
}

// workloadOf is a workload of the tests with this template, generation 2 and the uid w.
func workloadOf(t *testing.T, kind, image, status string, managers ...metav1.ManagedFieldsEntry) *owner {
	t.Helper()
	object := &unstructured.Unstructured{Object: parse(t, fmt.Sprintf(`{apiVersion: apps/v1, kind: %s, metadata: {name: web, uid: w, generation: 2}, `+
		`spec: {replicas: 3, selector: {matchLabels: {app: web}}, template: %s}, status: %s}`, kind, templateText(image), status))}
	// The typed fields take whole numbers only, as the API server's JSON has them.
	body, err := object.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := object.UnmarshalJSON(body); err != nil {
		t.Fatal(err)
	}
	object.SetManagedFields(managers)
	w, err := newOwner(object)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func ownedByW() []metav1.OwnerReference {
	yes := true
	return []metav1.OwnerReference{{UID: "w", Controller: &yes}}
}

// set is a ReplicaSet of the tests.
type set struct {
	number       string
	image        string
	ready, total int32
	made         int64
	annotations  map[string]string
	foreign      bool
}

func (s set) object(t *testing.T) unstructured.Unstructured {
	t.Helper()
	template := parse(t, templateText(s.image))
	if err := unstructured.SetNestedField(template, "hash"+s.number, "metadata", "labels", "pod-template-hash"); err != nil {
		t.Fatal(err)
	}
	rs := appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "web-" + s.number, CreationTimestamp: made(s.made), Annotations: map[string]string{workload.RevisionAnnotation: s.number}},
		Status:     appsv1.ReplicaSetStatus{Replicas: s.total, ReadyReplicas: s.ready},
	}
	if !s.foreign {
		rs.OwnerReferences = ownedByW()
	}
	for key, value := range s.annotations {
		rs.Annotations[key] = value
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&rs)
	if err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedField(object, template, "spec", "template"); err != nil {
		t.Fatal(err)
	}
	return unstructured.Unstructured{Object: object}
}

// tell is a history in short: number, state, pods, images and change cause of each revision.
func tell(h *History) []string {
	var told []string
	for _, r := range h.Revisions {
		told = append(told, fmt.Sprintf("%d %s %d/%d %v %s", r.Number, r.State, r.Ready, r.Total, r.Images, r.ChangeCause))
	}
	return told
}

func TestHistoryOfDeployment(t *testing.T) {
	t.Parallel()
	const complete = `{observedGeneration: 2, conditions: [{type: Progressing, status: "True", reason: NewReplicaSetAvailable}]}`
	const progressing = `{observedGeneration: 2, conditions: [{type: Progressing, status: "True", reason: ReplicaSetUpdated}]}`
	for name, c := range map[string]struct {
		image, status string
		sets          []set
		want          []string
	}{
		"complete": {
			"b", complete,
			[]set{{number: "2", image: "b", ready: 3, total: 3, made: 9}, {number: "1", image: "a"}, {number: "7", image: "b", foreign: true}},
			[]string{"1 old 0/0 [a] ", "2 current 3/3 [b] "},
		},
		"complete, with a pod that has failed since": {
			"b", complete,
			[]set{{number: "1", image: "a"}, {number: "2", image: "b", ready: 2, total: 3}},
			[]string{"1 old 0/0 [a] ", "2 current 2/3 [b] "},
		},
		"under way": {
			"c", progressing,
			[]set{{number: "1", image: "a"}, {number: "2", image: "b", ready: 2, total: 2}, {number: "3", image: "c", ready: 1, total: 2}},
			[]string{"1 old 0/0 [a] ", "2 stable 2/2 [b] ", "3 new 1/2 [c] "},
		},
		"not observed yet": {
			"a", `{observedGeneration: 1, conditions: [{type: Progressing, status: "True", reason: NewReplicaSetAvailable}]}`,
			[]set{{number: "1", image: "a"}, {number: "2", image: "b", ready: 3, total: 3}},
			[]string{"1 new 0/0 [a] ", "2 stable 3/3 [b] "},
		},
		"one after another": {
			"c", progressing,
			[]set{{number: "1", image: "a", ready: 2, total: 2}, {number: "2", image: "b", total: 1}, {number: "3", image: "c", total: 1}},
			[]string{"1 stable 2/2 [a] ", "2 old 0/1 [b] ", "3 new 0/1 [c] "},
		},
		"no condition": {"a", `{observedGeneration: 2}`, []set{{number: "1", image: "a", ready: 3, total: 3}}, []string{"1 current 3/3 [a] "}},
		"first":        {"a", progressing, []set{{number: "1", image: "a", ready: 1, total: 3}}, []string{"1 new 1/3 [a] "}},
		"no revision of the template": {
			"c", complete,
			[]set{{number: "1", image: "a"}, {number: "2", image: "b", ready: 3, total: 3}},
			[]string{"1 old 0/0 [a] ", "2 stable 3/3 [b] "},
		},
		"change cause": {
			"a", complete,
			[]set{{number: "1", image: "a", total: 3, ready: 3, annotations: map[string]string{workload.ChangeCauseAnnotation: "why"}}},
			[]string{"1 current 3/3 [a] why"},
		},
		"a number twice": {
			"a", complete,
			[]set{{number: "1", image: "b", made: 1}, {number: "1", image: "a", made: 2, total: 3, ready: 3}},
			[]string{"1 current 3/3 [a] "},
		},
		"none": {"a", complete, nil, nil},
	} {
		var objects []unstructured.Unstructured
		for _, s := range c.sets {
			objects = append(objects, s.object(t))
		}
		h, err := workloadOf(t, "Deployment", c.image, c.status).ofReplicaSets(objects)
		if err != nil || !slices.Equal(tell(h), c.want) {
			t.Errorf("%s: got %q, %v; want %q", name, tell(h), err, c.want)
		}
	}
}

// podsOf are pods with a revision's label, of which some are ready.
func podsOf(label string, ready, total int) []corev1.Pod {
	pods := make([]corev1.Pod, total)
	for i := range pods {
		pods[i].OwnerReferences = ownedByW()
		pods[i].Labels = map[string]string{appsv1.ControllerRevisionHashLabelKey: label}
		if i < ready {
			pods[i].Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		}
	}
	return pods
}

func controllerRevision(t *testing.T, number int64, image string, annotations map[string]string) appsv1.ControllerRevision {
	t.Helper()
	template := parse(t, templateText(image))
	template["$patch"] = "replace"
	data, err := json.Marshal(map[string]any{"spec": map[string]any{"template": template}})
	if err != nil {
		t.Fatal(err)
	}
	return appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("web-%d", number), OwnerReferences: ownedByW(), CreationTimestamp: made(number), Annotations: annotations,
			Labels: map[string]string{appsv1.ControllerRevisionHashLabelKey: fmt.Sprintf("hash%d", number)},
		},
		Revision: number, Data: runtime.RawExtension{Raw: data},
	}
}

func TestHistoryOfControllerRevisions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, image, status string
		pods                []corev1.Pod
		want                []string
	}{
		"StatefulSet, complete": {
			"StatefulSet", "b", `{observedGeneration: 2, currentRevision: web-2, updateRevision: web-2}`, podsOf("web-2", 2, 3),
			[]string{"1 old 0/0 [a] why", "2 current 2/3 [b] "},
		},
		"StatefulSet, under way": {
			"StatefulSet", "b", `{observedGeneration: 2, currentRevision: web-1, updateRevision: web-2}`,
			append(podsOf("web-1", 1, 2), podsOf("web-2", 0, 1)...),
			[]string{"1 stable 1/2 [a] why", "2 new 0/1 [b] "},
		},
		"StatefulSet, OnDelete and all deleted": {
			"StatefulSet", "b", `{observedGeneration: 2, currentRevision: web-1, updateRevision: web-2}`,
			podsOf("web-2", 3, 3),
			[]string{"1 old 0/0 [a] why", "2 current 3/3 [b] "},
		},
		"StatefulSet, not observed": {
			"StatefulSet", "a", `{observedGeneration: 1, currentRevision: web-2, updateRevision: web-2}`, podsOf("web-2", 3, 3),
			[]string{"1 new 0/0 [a] why", "2 stable 3/3 [b] "},
		},
		"StatefulSet, whose revision an older controller wrote": {
			"StatefulSet", "c", `{observedGeneration: 2, currentRevision: web-2, updateRevision: web-2}`,
			podsOf("web-2", 3, 3),
			[]string{"1 old 0/0 [a] why", "2 current 3/3 [b] "},
		},
		"DaemonSet, complete": {
			"DaemonSet", "b", `{observedGeneration: 2, desiredNumberScheduled: 3, updatedNumberScheduled: 3}`, podsOf("hash2", 2, 3),
			[]string{"1 old 0/0 [a] why", "2 current 2/3 [b] "},
		},
		"DaemonSet, under way": {
			"DaemonSet", "b", `{observedGeneration: 2, desiredNumberScheduled: 3, updatedNumberScheduled: 1}`,
			append(podsOf("hash1", 2, 2), podsOf("hash2", 1, 1)...),
			[]string{"1 stable 2/2 [a] why", "2 new 1/1 [b] "},
		},
		"DaemonSet, no nodes": {"DaemonSet", "b", `{observedGeneration: 2}`, nil, []string{"1 old 0/0 [a] why", "2 current 0/0 [b] "}},
	} {
		revisions := []appsv1.ControllerRevision{
			controllerRevision(t, 2, "b", nil), controllerRevision(t, 1, "a", map[string]string{workload.ChangeCauseAnnotation: "why"}),
			{ObjectMeta: metav1.ObjectMeta{Name: "foreign"}},
		}
		gone := podsOf("web-1", 1, 1)[0]
		gone.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
		h, err := workloadOf(t, c.kind, c.image, c.status).ofControllerRevisions(revisions, append(c.pods, gone))
		if err != nil || !slices.Equal(tell(h), c.want) {
			t.Errorf("%s: got %q, %v; want %q", name, tell(h), err, c.want)
		}
		if _, patched := h.Revisions[0].Template["$patch"]; patched {
			t.Errorf("%s: the template has the patch's mark", name)
		}
	}
	broken := appsv1.ControllerRevision{ObjectMeta: metav1.ObjectMeta{Name: "web-3", OwnerReferences: ownedByW()}}
	for _, data := range []string{"", "{}", `{"spec":{"template":3}}`} {
		broken.Data.Raw = []byte(data)
		if _, err := workloadOf(t, "DaemonSet", "a", "{}").ofControllerRevisions([]appsv1.ControllerRevision{broken}, nil); err == nil {
			t.Errorf("%q is taken for a revision", data)
		}
	}
}

// Without the right to list pods the workload alone tells which revision still serves.
func TestStatesOfRevisionsWithoutPods(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, image, status string
		want                []string
	}{
		"StatefulSet, complete":  {"StatefulSet", "c", `{observedGeneration: 2, currentRevision: web-3, updateRevision: web-3}`, []string{"old", "old", "current"}},
		"StatefulSet, under way": {"StatefulSet", "c", `{observedGeneration: 2, currentRevision: web-1, updateRevision: web-3}`, []string{"stable", "old", "new"}},
		"StatefulSet, a change":  {"StatefulSet", "d", `{observedGeneration: 1, currentRevision: web-3, updateRevision: web-3}`, []string{"old", "old", "stable"}},
		"DaemonSet, complete":    {"DaemonSet", "c", `{observedGeneration: 2, desiredNumberScheduled: 3, updatedNumberScheduled: 3}`, []string{"old", "old", "current"}},
		"DaemonSet, under way":   {"DaemonSet", "c", `{observedGeneration: 2, desiredNumberScheduled: 3, updatedNumberScheduled: 1}`, []string{"old", "stable", "new"}},
		"DaemonSet, a change":    {"DaemonSet", "d", `{observedGeneration: 1, desiredNumberScheduled: 3, updatedNumberScheduled: 3}`, []string{"old", "old", "stable"}},
	} {
		w := workloadOf(t, c.kind, c.image, c.status)
		w.uncounted = true
		h, err := w.ofControllerRevisions([]appsv1.ControllerRevision{
			controllerRevision(t, 1, "a", nil), controllerRevision(t, 2, "b", nil), controllerRevision(t, 3, "c", nil),
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var states []string
		for _, r := range h.Revisions {
			if states = append(states, string(r.State)); !r.Uncounted {
				t.Errorf("%s: the pods of %d are counted", name, r.Number)
			}
		}
		if !slices.Equal(states, c.want) {
			t.Errorf("%s: %q, want %q", name, states, c.want)
		}
	}
}

func TestHistoryFinds(t *testing.T) {
	t.Parallel()
	h := &History{Revisions: []Revision{{Number: 1}, {Number: 3, State: StateStable}, {Number: 4, State: StateNew}}}
	if h.Find(2) != nil || h.Find(3).State != StateStable || h.Current().Number != 4 || h.Previous().Number != 3 {
		t.Errorf("%+v", h)
	}
	h.Revisions[2].State = StateOld
	if h.Current() != nil || h.Previous().Number != 4 {
		t.Errorf("without a revision of the template: %+v", h)
	}
	first := &History{Revisions: []Revision{{Number: 1, State: StateCurrent}}}
	if first.Previous() != nil || (&History{}).Previous() != nil {
		t.Error("there is something before the first revision")
	}
}

// manager is an entry of managedFields.
func manager(name string, seconds int64, fields string) metav1.ManagedFieldsEntry {
	at := made(seconds)
	entry := metav1.ManagedFieldsEntry{Manager: name, Operation: metav1.ManagedFieldsOperationUpdate, Time: &at, FieldsV1: &metav1.FieldsV1{}}
	entry.FieldsV1.SetRawBytes([]byte(fields))
	return entry
}

func TestChangedBy(t *testing.T) {
	t.Parallel()
	const template, other = `{"f:spec":{"f:template":{"f:spec":{"f:containers":{}}}}}`, `{"f:spec":{"f:replicas":{}}}`
	status := manager("status", 9, template)
	status.Subresource = "status"
	noFields := manager("none", 9, "")
	noFields.FieldsV1 = nil
	two := []metav1.ManagedFieldsEntry{manager("b", 50, template), manager("a", 1, template)}
	for name, c := range map[string]struct {
		made     int64
		reused   bool
		entries  []metav1.ManagedFieldsEntry
		now, old string
	}{
		"nobody":            {1, false, nil, Unknown, Unknown},
		"not the template":  {1, false, []metav1.ManagedFieldsEntry{manager(fieldmanager.ControllerManager, 1, template), manager("scaler", 1, other), status, noFields, manager("x", 1, "}")}, Unknown, Unknown},
		"the whole of it":   {1, false, []metav1.ManagedFieldsEntry{manager("a", 1, `{"f:spec":{"f:template":{}}}`)}, "a", "a"},
		"the only one":      {1, false, []metav1.ManagedFieldsEntry{manager("a", 50, template), manager("scaler", 99, other)}, "a", Unknown},
		"the last":          {50, false, two, "b", "b"},
		"the first":         {2, false, two, "a", "a"},
		"wrote more since":  {50, false, []metav1.ManagedFieldsEntry{manager("b", 49, template), manager("a", 70, template)}, "b", "b"},
		"a slow controller": {90, false, two, Unknown, Unknown},
		"gone back to":      {1, true, two, Unknown, Unknown},
		"in one second":     {1, false, []metav1.ManagedFieldsEntry{manager("a", 1, template), manager("b", 1, template)}, Unknown, Unknown},
	} {
		r := &Revision{Created: made(c.made).Time, reused: c.reused}
		writers := authors(c.entries)
		if now, old := changedBy(writers, r, nil, true), changedBy(writers, r, nil, false); now != c.now || old != c.old {
			t.Errorf("%s: %s and %s, want %s and %s", name, now, old, c.now, c.old)
		}
	}
}

// TestChangedByWhoWentBack does not take the maker of a revision for the one who went back to it.
func TestChangedByWhoWentBack(t *testing.T) {
	t.Parallel()
	const template = `{"f:spec":{"f:template":{"f:metadata":{}}}}`
	entries := []metav1.ManagedFieldsEntry{manager("creator", 1, template), manager("changer", 20, template), manager("back", 30, template)}
	for name, annotations := range map[string]map[string]string{"noted by the controller": {earlierRevisionsAnnotation: "1"}, "older than another": nil} {
		objects := []unstructured.Unstructured{
			set{number: "2", image: "b", made: 20}.object(t), set{number: "3", image: "a", made: 1, annotations: annotations}.object(t),
		}
		h, err := workloadOf(t, "Deployment", "a", "{}", entries...).ofReplicaSets(objects)
		if err != nil || h.Revisions[0].ChangedBy != "changer" || h.Revisions[1].ChangedBy != "back" {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

// TestARevisionThatWasGoneBackTo is as old as that where it is known, and then whoever did it is named though the others have
// written since.
func TestARevisionThatWasGoneBackTo(t *testing.T) {
	t.Parallel()
	const template = `{"f:spec":{"f:template":{"f:metadata":{}}}}`
	controller := manager(fieldmanager.ControllerManager, 30, `{"f:metadata":{"f:annotations":{}}}`)
	entries := []metav1.ManagedFieldsEntry{manager("creator", 90, template), manager("back", 30, template), manager("changer", 80, template), controller}
	sets := []unstructured.Unstructured{
		set{number: "2", image: "b", made: 20}.object(t),
		set{number: "3", image: "a", made: 1, annotations: map[string]string{earlierRevisionsAnnotation: "1"}}.object(t),
	}
	h, err := workloadOf(t, "Deployment", "a", "{}", entries...).ofReplicaSets(sets)
	if err != nil || !h.Revisions[0].MadeAfter.IsZero() || !h.Revisions[1].MadeAfter.Equal(made(20).Time) || h.Revisions[1].ChangedBy != Unknown {
		t.Errorf("%+v, %v", h, err)
	}
	revisions := []appsv1.ControllerRevision{controllerRevision(t, 2, "b", nil), controllerRevision(t, 3, "a", nil)}
	revisions[1].ManagedFields = []metav1.ManagedFieldsEntry{controller}
	h, err = workloadOf(t, "DaemonSet", "a", "{}", entries...).ofControllerRevisions(revisions, nil)
	if err != nil || !h.Revisions[1].Created.Equal(made(30).Time) || h.Revisions[1].ChangedBy != "back" || !h.Revisions[1].MadeAfter.IsZero() || !h.Revisions[0].Created.Equal(made(2).Time) {
		t.Errorf("%+v, %v", h, err)
	}
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return object
}
