package configmap

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Grace is how long a version is left alone after a command claimed it. Until then the command may still be making a template
// reference it.
const Grace = 10 * time.Minute

// Holder is an object that needs the versions which its pod template names.
type Holder struct {
	// Owner is empty for a pod, since a pod goes away with its controller.
	Owner metav1.OwnerReference
	// Workload says that the template can change, as a Deployment's. The workload no longer needs what an earlier template
	// named.
	Workload bool
	// Newest says that the holder is a revision that its workload still uses.
	Newest bool
	names  map[Object]bool
	notes  map[string]string
}

// NewHolder returns a holder with the names in its template: those in references, and those in the annotations of in-place
// mode. An annotation belongs to a plain name in a reference. It counts for nothing if others have removed that reference.
func NewHolder(owner metav1.OwnerReference, workload bool, template *corev1.PodTemplateSpec) Holder {
	h := Holder{Owner: owner, Workload: workload, names: map[Object]bool{}, notes: template.Annotations}
	for _, r := range References(&template.Spec) {
		h.names[r.Object] = true
		if version := template.Annotations[RecordKey(r.Object)]; version != "" {
			h.names[Object{r.Object.Kind, version}] = true
		}
	}
	return h
}

// Add records that the holder needs an object for another reason.
func (h *Holder) Add(object Object) { h.names[object] = true }

// Needs reports whether the holder needs an object.
func (h *Holder) Needs(object Object) bool { return h.names[object] }

// Unrecorded reports whether the template uses an object by its plain name without a record of what it held.
func (h *Holder) Unrecorded(head Object) bool { return h.names[head] && h.notes[RecordKey(head)] == "" }

// IsAbsent reports whether the template records that an object did not exist.
func (h *Holder) IsAbsent(head Object) bool { return h.notes[RecordKey(head)] == Absent }

// Leaves reports whether a revision needs a version that it owns though its template does not name it. The version then holds
// what the object held when the revision was left, or while its pods were started.
func (h *Holder) Leaves(k *Kept) bool {
	return !h.Workload && h.Owner.UID != "" && k.ownedBy(map[types.UID]bool{h.Owner.UID: true})
}

// These annotations of a pod template name the version that its pods were rolled out with. They are for templates that have to
// keep the plain name of an object. The object's name follows the prefix.
const (
	recordedConfigMap = "rollout-plus/configmap."
	recordedSecret    = "rollout-plus/secret." //nolint:gosec // the beginning of an annotation's key
	// recordedLength is how much of an annotation's key is left for the object's name.
	recordedLength = validation.LabelValueMaxLength - len("configmap.")
)

// Absent is what a template's annotation records for an object that did not exist when its pods were rolled out.
const Absent = "absent"

// RecordKey returns the key of the annotation of a pod template for an object.
func RecordKey(head Object) string {
	if head.Kind == Secret {
		return recordedSecret + shortened(head.Name, recordedLength)
	}
	return recordedConfigMap + shortened(head.Name, recordedLength)
}

// Recorded returns the versions that a template's annotations name.
func Recorded(annotations map[string]string) []Object {
	var all []Object
	for key, name := range annotations {
		switch {
		case strings.HasPrefix(key, recordedConfigMap):
			all = append(all, Object{ConfigMap, name})
		case strings.HasPrefix(key, recordedSecret):
			all = append(all, Object{Secret, name})
		}
	}
	return all
}

// Kept is a version as it is in the cluster, without its content.
type Kept struct {
	Object Object
	Head   Object
	Meta   metav1.ObjectMeta
}

// Claimed returns when a command last meant to have the version referenced.
func (k *Kept) Claimed() time.Time {
	if at, err := time.Parse(time.RFC3339, k.Meta.Annotations[ClaimAnnotation]); err == nil && at.After(k.Meta.CreationTimestamp.Time) {
		return at
	}
	return k.Meta.CreationTimestamp.Time
}

func (k *Kept) ownedBy(some map[types.UID]bool) bool {
	return slices.ContainsFunc(k.Meta.OwnerReferences, func(o metav1.OwnerReference) bool { return some[o.UID] })
}

// KeptFor returns the version of an object that one of the revisions owns, or nil if there is none. Of several versions it
// returns the one claimed last.
// nil.
func KeptFor(revisions map[types.UID]bool, head Object, all []Kept) *Kept {
	var last *Kept
	for i := range all {
		k := &all[i]
		if k.Head == head && k.ownedBy(revisions) && (last == nil || last.Claimed().Before(k.Claimed())) {
			last = k
		}
	}
	return last
}

// Keeping is what to do about a version.
type Keeping struct {
	// Owners are the owners to set, or nil if they are right.
	Owners []metav1.OwnerReference
	// Unneeded says that nothing needs the version any more, and that it is old enough to be deleted.
	Unneeded bool
}

// Settled is what a command has finished with. No grace applies to it.
type Settled struct {
	// Workloads are the workloads whose rollout is over.
	Workloads map[types.UID]bool
	// Versions are the versions that the command claimed but no longer needs, with the time of that. A later claim by another
	// command has the full grace.
	Versions map[Object]time.Time
}

// keeps reports whether the holder needs a version. A version may be kept for a revision that is still in use. That ends when
// the keeping command is done, since the object itself then shows what the revision uses.
func (h *Holder) keeps(k *Kept, done bool) bool {
	present := done && h.Newest && h.Unrecorded(k.Head)
	return h.Needs(k.Object) || h.Leaves(k) && !present
}

// isDone reports whether a holder that does not need a version can stop owning it. No command may be at work that is about to
// make the holder need it.
func (h *Holder) isDone(recent bool, settled Settled) bool {
	return h.Workload && settled.Workloads[h.Owner.UID] || (h.Workload || h.Newest) && !recent
}

// Keep works out what to do about a version. Everything that needs the version owns it, so the garbage collector removes it
// with its last owner. A workload owns it while its present template names it, whoever makes the next revision. A revision also
// owns what the object held when the revision was left, or when its pods were started. Owners that others have added stay, and
// keep the version.
func (k *Kept) Keep(holders []Holder, settled Settled, now time.Time) Keeping {
	claimed := k.Claimed()
	settledAt, is := settled.Versions[k.Object]
	done := is && !claimed.After(settledAt)
	recent := now.Sub(claimed) < Grace && !done
	owners, needed := slices.Clone(k.Meta.OwnerReferences), false
	for i := range holders {
		h := &holders[i]
		at := slices.IndexFunc(owners, func(o metav1.OwnerReference) bool { return o.UID == h.Owner.UID })
		switch {
		case h.keeps(k, done):
			needed = true
			if at < 0 && h.Owner.UID != "" {
				owners = append(owners, h.Owner)
			}
		case at >= 0 && h.isDone(recent, settled):
			owners = slices.Delete(owners, at, at+1)
		}
	}
	keeping := Keeping{Unneeded: !needed && !recent && len(owners) == 0}
	if len(owners) == 0 && len(k.Meta.OwnerReferences) > 0 {
		return keeping // a version without owners would stay forever if the command ended here
	}
	if !slices.EqualFunc(owners, k.Meta.OwnerReferences, func(a, b metav1.OwnerReference) bool { return a.UID == b.UID }) {
		keeping.Owners = owners
	}
	return keeping
}
