package impact

import (
	"maps"
	"slices"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// judgeGone judges a workload for an object that does not exist. Only references by the plain name count, since versions stay.
func (c *Change) judgeGone(w *Workload) Judgment {
	if !configmap.NamesPlainly(w.Spec, c.Object) {
		return Judgment{Verdict: None, Note: c.keeps(w)}
	}
	note := w.Annotations[configmap.RecordKey(c.Object)]
	noted, known := c.Versions[c.noted(w)], true
	read := c.wasThere(w)
	var old *configmap.Content
	switch {
	case note == configmap.Absent:
	case noted != nil:
		old = noted
	case c.Old != nil:
		old = c.Old
	case read != nil:
		old = read
	default:
		old, known = supposed(w.Spec, c.Object), false
	}
	judged := c.gone(w, old).Judge(w.Spec)
	switch {
	case w.Rolls && len(w.Runs) == 0 && judged.Verdict != Block:
		return Judgment{Verdict: None, Note: "no pod of it runs"}
	case !known && judged.Verdict == Block:
		judged.Reasons = slices.DeleteFunc(judged.Reasons, func(r Reason) bool { return r.Effect != Block })
		return judged
	case known || judged.Verdict == None:
		return judged
	}
	return uncertain(judged, c.Object.String()+" is not there, and may have been when its pods started")
}

// gone returns the change for pods that started with the given content, or nil for none. References to versions do not see the
// change.
func (c *Change) gone(w *Workload, old *configmap.Content) *Change {
	own := *c
	own.Old, own.Versions = old, nil
	own.Others = maps.Clone(c.Others)
	for _, reference := range configmap.References(w.Spec) {
		if version, is := c.Versions[reference.Object]; is {
			if own.Others == nil {
				own.Others = map[configmap.Object]*configmap.Content{}
			}
			own.Others[reference.Object] = version
		}
	}
	return &own
}

// keeps says which version a template keeps using although the object is gone.
func (c *Change) keeps(w *Workload) string {
	references := configmap.References(w.Spec)
	at := slices.IndexFunc(references, func(r configmap.Reference) bool { return c.pinned(r.Object) })
	if at < 0 {
		return "no container takes it by its own name"
	}
	return "it goes on with " + references[at].Object.String()
}
