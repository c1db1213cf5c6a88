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

// Grace is how long a version is left alone after a command meant to have it referenced: the command may still be at it.
const Grace = 10 * time.Minute

// Holder is an object that needs the versions which its pod template names.
type Holder struct {
	// Owner is empty for a pod, which goes with what made it.
	Owner metav1.OwnerReference
	// Workload tells that the template is one that changes, as a Deployment's: what it named before, it needs no more.
	Workload bool
	// Newest tells of a revision that its workload has not left.
	Newest bool
	names  map[Object]bool
	notes  map[string]string
}

// NewHolder is a holder with what its template names: in references, and in the annotations of in-place mode. Those are
// about plain names; where there is none any more, as where others have taken it out, they say nothing.
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

// Add is for an object that the holder needs for another reason.
func (h *Holder) Add(object Object) { h.names[object] = true }

// Needs tells whether an object is needed.
func (h *Holder) Needs(object Object) bool { return h.names[object] }

// Unrecorded tells whether a head is named by its own name, and not noted what it held.
func (h *Holder) Unrecorded(head Object) bool { return h.names[head] && h.notes[RecordKey(head)] == "" }

// IsAbsent reports whether a template notes that a head was not there.
func (h *Holder) IsAbsent(head Object) bool { return h.notes[RecordKey(head)] == Absent }

// Leaves tells whether a revision that owns a version needs it though its template does not name it: as what the head held
// when that revision was left, or while its pods were started.
func (h *Holder) Leaves(k *Kept) bool {
	return !h.Workload && h.Owner.UID != "" && k.ownedBy(map[types.UID]bool{h.Owner.UID: true})
}

// The annotations of a pod template that name the version which its pods were rolled with, where the template has to keep
// the head's plain name. The head's name follows.
const (
	recordedConfigMap = "rollout-plus/configmap."
	recordedSecret    = "rollout-plus/secret." //nolint:gosec // the beginning of an annotation's key
	// recordedLength is how much of an annotation's key is left for it.
	recordedLength = validation.LabelValueMaxLength - len("configmap.")
)

// RecordKey is the annotation of a pod template for a head.
func RecordKey(head Object) string {
	if head.Kind == Secret {
		return recordedSecret + shortened(head.Name, recordedLength)
	}
	return recordedConfigMap + shortened(head.Name, recordedLength)
}

// Recorded are the versions that a template's annotations name.
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

// Claimed is when a command last meant to have the version referenced.
func (k *Kept) Claimed() time.Time {
	if at, err := time.Parse(time.RFC3339, k.Meta.Annotations[ClaimAnnotation]); err == nil && at.After(k.Meta.CreationTimestamp.Time) {
		return at
	}
	return k.Meta.CreationTimestamp.Time
}

func (k *Kept) ownedBy(some map[types.UID]bool) bool {
	return slices.ContainsFunc(k.Meta.OwnerReferences, func(o metav1.OwnerReference) bool { return some[o.UID] })
}

// KeptFor is the version of a head that was kept last for one of some revisions, nil where none was.
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

// Keeping is what is to be done about a version.
type Keeping struct {
	// Owners are those it is to have, nil where they are right.
	Owners []metav1.OwnerReference
	// Unneeded tells that nothing needs it any more, and that it is old enough to go.
	Unneeded bool
}

// Settled is what a command is done with, for which no grace is needed.
type Settled struct {
	// Workloads are those whose rollout is over.
	Workloads map[types.UID]bool
	// Versions are those that the command claimed and needs no more, with the time of that: whoever claims one later has
	// the grace still.
	Versions map[Object]time.Time
}

// keeps tells whether a version is needed, be it for what was kept of the holder. That the head tells of a revision that is
// not left once the command is done that kept it.
func (h *Holder) keeps(k *Kept, done bool) bool {
	present := done && h.Newest && h.Unrecorded(k.Head)
	return h.Needs(k.Object) || h.Leaves(k) && !present
}

// isDone tells whether an owner that does not need a version is none any more: no command is at work that may have it need it.
func (h *Holder) isDone(recent bool, settled Settled) bool {
	return h.Workload && settled.Workloads[h.Owner.UID] || (h.Workload || h.Newest) && !recent
}

// Keep works out what is to be done about a version. It is owned by everything that needs it, so that the garbage
// collector removes it with the last of them. A workload owns it for as long as its present template names it: that holds
// whoever makes the next revision. A revision owns too what the head held when it was left, or when its pods were
// started. Owners that others have given it stay, and keep it.
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
		return keeping // what nothing owns would stay for ever if the command ended here
	}
	if !slices.EqualFunc(owners, k.Meta.OwnerReferences, func(a, b metav1.OwnerReference) bool { return a.UID == b.UID }) {
		keeping.Owners = owners
	}
	return keeping
}
