package impact

import (
	"encoding/json"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

const notRecorded = "not recorded, and changed since its pods started"

// Age holds when an object was created and last changed, as far as the API server knows. A write that removes a key and sets
// none leaves no time.
type Age struct {
	Created, Changed time.Time
	// Written is the last write that left a time, even if it changed only metadata.
	Written time.Time
	// Revision is the revision of the last write, or 0 if it is not known.
	Revision Revision
}

// AgeOf returns the age of an object. A manager that set only labels or annotations has not changed what the object holds.
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

// setsData reports whether a manager has set more than metadata.
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

// older reports whether a container started at the given time may have had an earlier content. Timestamps have a resolution of
// one second.
func (a Age) older(started time.Time) bool {
	if a.Changed.Equal(a.Created) {
		return started.Before(a.Created)
	}
	return !started.After(a.Changed)
}

// Older reports whether a workload has running containers that may have started with an earlier content.
func (a Age) Older(w *Workload) bool { return !w.Since.IsZero() && a.older(w.Since) }

// since returns the change as a workload sees it. Its Old is what the workload's pods run with, as far as that is known. In a
// search for stale workloads, a workload without that knowledge gets a change of every key.
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

// missed reports whether a workload was rolled out while the object did not exist, and its containers have run since then.
func (c *Change) missed(w *Workload) bool {
	return w.Annotations[configmap.RecordKey(c.Object)] == configmap.Absent && !w.Since.After(c.Age.Created)
}

func (c *Change) present() *configmap.Content {
	if c.Present != nil {
		return c.Present
	}
	return c.Old
}

// noted returns the version that a template's annotation names.
func (c *Change) noted(w *Workload) configmap.Object {
	return configmap.Object{Kind: c.Object.Kind, Name: w.Annotations[configmap.RecordKey(c.Object)]}
}

// fresh reports whether the containers were started after the last change. They then run with the present content whatever is
// noted, since others restart pods without noting it. fresh reports false if keys may have been removed, as the API server may
// not know when.
func (c *Change) fresh(w *Workload, noted *configmap.Content) bool {
	before := noted
	if before == nil {
		before = c.Old
	}
	return !w.Since.IsZero() && !c.Age.Created.IsZero() && !c.Age.older(w.Since) && configmap.NamesPlainly(w.Spec, c.Object) &&
		!isWithout(before, c.present())
}

// unknown reports whether nothing tells what the containers of a workload run with. It applies only to a search for workloads
// with stale content.
func (c *Change) unknown(w *Workload) bool {
	noted := c.Versions[c.noted(w)] != nil || w.Annotations[configmap.RecordKey(c.Object)] == configmap.Absent
	return c.Stale && !noted && configmap.NamesPlainly(w.Spec, c.Object) && c.Age.Older(w)
}

// isWithout reports whether the other content equals one without some of its keys.
func isWithout(one, other *configmap.Content) bool {
	for key, value := range other.Text {
		if mine, has := one.Text[key]; !has || mine != value {
			return false
		}
	}
	for key, value := range other.Binary {
		if mine, has := one.Binary[key]; !has || string(mine) != string(value) {
			return false
		}
	}
	return len(one.Text)+len(one.Binary) > len(other.Text)+len(other.Binary)
}
