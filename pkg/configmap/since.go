package configmap

import (
	"encoding/json"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

const notRecorded = "not recorded, and changed since its pods started"

// Age is when an object was made, and when it was changed last, as far as the API server knows: where one manager removes
// what another has set, it need not.
type Age struct{ Created, Changed time.Time }

// AgeOf reads it. Who has set labels or annotations alone has not changed what it holds.
func AgeOf(object metav1.Object) Age {
	entries := slices.Clone(object.GetManagedFields())
	if slices.ContainsFunc(entries, setsData) {
		entries = slices.DeleteFunc(entries, func(e metav1.ManagedFieldsEntry) bool { return !setsData(e) })
	}
	age := Age{Created: object.GetCreationTimestamp().Time}
	age.Changed = age.Created
	for _, entry := range entries {
		if entry.Time != nil && entry.Time.After(age.Changed) {
			age.Changed = entry.Time.Time
		}
	}
	return age
}

// setsData tells whether a manager has set more than metadata.
func setsData(entry metav1.ManagedFieldsEntry) bool {
	if entry.FieldsV1 == nil {
		return false
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) != nil {
		return true
	}
	delete(fields, "f:metadata")
	return len(fields) > 0
}

// older tells whether a container that was started then may have had an earlier content. Times have full seconds.
func (a Age) older(started time.Time) bool {
	if a.Changed.Equal(a.Created) {
		return started.Before(a.Created)
	}
	return !started.After(a.Changed)
}

// Older tells whether containers of a workload run that may have been started with an earlier content.
func (a Age) Older(w *Workload) bool { return !w.Since.IsZero() && a.older(w.Since) }

// since is the change as a workload sees it: against what its pods run with, where that is another content than Old.
func (c *Change) since(w *Workload) *Change {
	own := *c
	switch noted := c.Versions[c.noted(w)]; {
	case c.fresh(w, noted):
		own.Old = c.present()
	case noted != nil:
		own.Old = noted
	case c.unknown(w):
		own.Old, own.New = c.present(), c.present().Every()
	}
	return &own
}

func (c *Change) present() *Content {
	if c.Present != nil {
		return c.Present
	}
	return c.Old
}

// noted is the version that a template notes.
func (c *Change) noted(w *Workload) Object {
	return Object{c.Object.Kind, w.Annotations[RecordKey(c.Object)]}
}

// fresh tells whether the containers were started since the last change, so that they run with the present content whatever
// is noted: others start pods anew without noting it. That keys were removed may be unknown to the API server.
func (c *Change) fresh(w *Workload, noted *Content) bool {
	before := noted
	if before == nil {
		before = c.Old
	}
	return !w.Since.IsZero() && !c.Age.Created.IsZero() && !c.Age.older(w.Since) && NamesPlainly(w.Spec, c.Object) &&
		!before.isWithout(c.present())
}

// unknown tells whether nobody knows what the containers of a workload run with that is looked at for something else than
// the present content.
func (c *Change) unknown(w *Workload) bool {
	return c.Stale && c.Versions[c.noted(w)] == nil && NamesPlainly(w.Spec, c.Object) && c.Age.Older(w)
}

// isWithout tells whether another content is this one without some of its keys.
func (c *Content) isWithout(other *Content) bool {
	for key, value := range other.Text {
		if mine, has := c.Text[key]; !has || mine != value {
			return false
		}
	}
	for key, value := range other.Binary {
		if mine, has := c.Binary[key]; !has || string(mine) != string(value) {
			return false
		}
	}
	return len(c.Text)+len(c.Binary) > len(other.Text)+len(other.Binary)
}

// Started is when the containers of pods were started, by what controls these.
type Started struct {
	pods   map[types.UID]time.Time
	owners map[types.UID]types.UID
}

// See takes a pod or a ReplicaSet into account.
func (s *Started) See(object runtime.Object) {
	switch o := object.(type) {
	case *appsv1.ReplicaSet:
		if owner := metav1.GetControllerOfNoCopy(o); owner != nil {
			s.owners = with(s.owners, o.UID, owner.UID)
		}
	case *corev1.Pod:
		owner, first := metav1.GetControllerOfNoCopy(o), startOf(o)
		if owner == nil || first.IsZero() || o.DeletionTimestamp != nil {
			return
		}
		if known, has := s.pods[owner.UID]; !has || first.Before(known) {
			s.pods = with(s.pods, owner.UID, first)
		}
	}
}

func with[V any](in map[types.UID]V, key types.UID, value V) map[types.UID]V {
	if in == nil {
		in = map[types.UID]V{}
	}
	in[key] = value
	return in
}

// Add tells the workloads since when their containers run.
func (s *Started) Add(workloads []Workload) {
	first := map[types.UID]time.Time{}
	for owner, at := range s.pods {
		if of, owned := s.owners[owner]; owned {
			owner = of
		}
		if known, has := first[owner]; !has || at.Before(known) {
			first[owner] = at
		}
	}
	for i := range workloads {
		workloads[i].Since = first[workloads[i].UID]
	}
}

// startOf is when the first of a pod's containers was started that run now, or that are to run but once.
func startOf(pod *corev1.Pod) time.Time {
	var first time.Time
	see := func(at metav1.Time) {
		if !at.IsZero() && (first.IsZero() || at.Time.Before(first)) {
			first = at.Time
		}
	}
	for i := range pod.Status.ContainerStatuses {
		if running := pod.Status.ContainerStatuses[i].State.Running; running != nil {
			see(running.StartedAt)
		}
	}
	for i := range pod.Status.InitContainerStatuses {
		switch state := pod.Status.InitContainerStatuses[i].State; {
		case state.Running != nil:
			see(state.Running.StartedAt)
		case state.Terminated != nil:
			see(state.Terminated.StartedAt)
		}
	}
	return first
}
