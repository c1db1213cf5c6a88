package history

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
)

// madeWithin is how long a controller takes to make a revision after the write of a template. It takes longer only if
// it is behind or the workload is paused. Time stamps have full seconds only.
const madeWithin = time.Second

// authors returns the entries of the field managers that own a part of a workload's template, the latest writer last.
// Of each manager the API server keeps what it owns now and when it wrote last. The server does not keep when a manager
// wrote which field, nor who wrote fields that were overwritten.
func authors(entries []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	var found []metav1.ManagedFieldsEntry
	for i := range entries {
		if e := &entries[i]; e.Manager != fieldmanager.ControllerManager && e.Subresource == "" && e.Time != nil && ownsTemplate(e) {
			found = append(found, *e)
		}
	}
	slices.SortStableFunc(found, func(a, b metav1.ManagedFieldsEntry) int { return a.Time.Compare(b.Time.Time) })
	return found
}

// makerOf returns the author that wrote just before a revision was created. It returns "" if there is none or more than
// one.
func makerOf(authors []metav1.ManagedFieldsEntry, created time.Time) string {
	var maker *metav1.ManagedFieldsEntry
	var unclear bool
	for i := range authors {
		author := &authors[i]
		if author.Time.After(created) || created.Sub(author.Time.Time) > madeWithin {
			continue
		}
		unclear = maker != nil && maker.Manager != author.Manager && maker.Time.Equal(author.Time)
		maker = author
	}
	if maker == nil || unclear {
		return ""
	}
	return maker.Manager
}

// changedBy returns who made a revision, or Unknown. The maker of the present template may also be the only author that
// has written since the revision was made. If the controller was late, it may be the only author since the revision
// before. With several authors, one of them may have written something else: no name is better than a wrong one.
func changedBy(authors []metav1.ManagedFieldsEntry, r, before *Revision, isTarget bool) string {
	maker := ""
	if !r.reused {
		maker = makerOf(authors, r.Created)
	}
	if maker == "" && isTarget {
		var writers []string
		if !r.reused {
			writers = since(authors, r.Created.Add(-madeWithin))
		}
		if len(writers) == 0 {
			var from time.Time
			if before != nil {
				from = before.Created.Add(time.Second) // the maker of that revision wrote up to then
			}
			writers = since(authors, from)
		}
		if len(writers) == 1 {
			maker = writers[0]
		}
	}
	return cmp.Or(maker, Unknown)
}

// since returns the names of the authors that have written from the given moment on.
func since(authors []metav1.ManagedFieldsEntry, from time.Time) []string {
	var names []string
	for i := range authors {
		if author := &authors[i]; !author.Time.Time.Before(from) && !slices.Contains(names, author.Manager) {
			names = append(names, author.Manager)
		}
	}
	return names
}

// controllerWrote returns when the controllers last wrote an object, apart from its status. For a ControllerRevision
// that was gone back to, this is when the controller gave it its new number.
func controllerWrote(entries []metav1.ManagedFieldsEntry) time.Time {
	for i := range entries {
		if e := &entries[i]; e.Manager == fieldmanager.ControllerManager && e.Subresource == "" && e.Time != nil {
			return e.Time.Time
		}
	}
	return time.Time{}
}

// ownsTemplate reports whether a manager owns spec.template or any field of it.
func ownsTemplate(entry *metav1.ManagedFieldsEntry) bool {
	if entry.FieldsV1 == nil {
		return false
	}
	var owned fieldpath.Set
	if err := owned.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
		return false
	}
	spec, template := "spec", "template"
	element := fieldpath.PathElement{FieldName: &template}
	within := owned.WithPrefix(fieldpath.PathElement{FieldName: &spec})
	return within.Members.Has(element) || !within.WithPrefix(element).Empty()
}
