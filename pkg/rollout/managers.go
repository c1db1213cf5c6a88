package rollout

import (
	"bytes"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// controllerManager is the field manager of the workload controllers, which change no pod template.
const controllerManager = "kube-controller-manager"

// madeWithin is how long after the write a controller may take to make a revision of it. Time stamps have full seconds only.
const madeWithin = 2 * time.Second

// templateManager is the field manager that made a workload's template what it is. The API server keeps of each manager
// which fields it owns and when it last wrote, but not when it wrote which field. So it is the one that wrote when
// the revision was made or, where that is not known, the last of those that own a part of the template.
func templateManager(entries []metav1.ManagedFieldsEntry, made time.Time) string {
	var last, maker *metav1.ManagedFieldsEntry
	for i := range entries {
		entry := &entries[i]
		if entry.Manager == controllerManager || entry.Subresource != "" || entry.Time == nil || !ownsTemplate(entry) {
			continue
		}
		if last == nil || !entry.Time.Before(last.Time) {
			last = entry
		}
		atOnce := !entry.Time.After(made) && made.Sub(entry.Time.Time) <= madeWithin
		if atOnce && (maker == nil || !entry.Time.Before(maker.Time)) {
			maker = entry
		}
	}
	switch {
	case maker != nil:
		return maker.Manager
	case last != nil:
		return last.Manager
	}
	return Unknown
}

// ownsTemplate tells whether a manager owns any field of spec.template.
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
