package configmap

import (
	"encoding/json"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const notRecorded = "not recorded, and changed since its pods started"

// Age is when an object was made, and when it was changed last, as far as the API server knows: who removes a key and sets
// none leaves no time.
type Age struct {
	Created, Changed time.Time
	// Written is the last write that left a time, be it of metadata alone.
	Written time.Time
	// Revision is the last write, 0 where that is not known.
	Revision Revision
}

// AgeOf reads it. Who has set labels or annotations alone has not changed what it holds.
func AgeOf(object metav1.Object) Age {
	entries := slices.Clone(object.GetManagedFields())
	if slices.ContainsFunc(entries, setsData) {
		entries = slices.DeleteFunc(entries, func(e metav1.ManagedFieldsEntry) bool { return !setsData(e) })
	}
	age := Age{Created: object.GetCreationTimestamp().Time, Revision: RevisionOf(object)}
	age.Changed, age.Written = age.Created, age.Created
	for _, entry := range object.GetManagedFields() {
		if entry.Time != nil && entry.Time.After(age.Written) {
			age.Written = entry.Time.Time
		}
	}
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
	noted, proven := c.Versions[c.noted(w)], c.proven(w)
	switch {
	case c.missed(w):
		own.Old = nil
	case c.Stale && noted == nil && proven != nil:
		own.Old = proven
	case c.fresh(w, noted):
		own.Old = c.present()
	case noted != nil:
		own.Old = noted
	case c.unknown(w):
		own.Old, own.New = c.present(), c.present().Every()
	}
	return &own
}

// missed reports whether a workload was rolled out while the object was not there, and its containers run since then.
func (c *Change) missed(w *Workload) bool {
	return w.Annotations[RecordKey(c.Object)] == Absent && !w.Since.After(c.Age.Created)
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
	return c.Stale && c.Versions[c.noted(w)] == nil && w.Annotations[RecordKey(c.Object)] != Absent && NamesPlainly(w.Spec, c.Object) && c.Age.Older(w)
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
