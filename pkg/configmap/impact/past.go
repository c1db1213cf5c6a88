package impact

import (
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// Revision is a resourceVersion as a number: the count of writes to the API server's store. A later write has a larger one.
type Revision uint64

// RevisionOf returns the revision of an object's last write, or 0 if its resourceVersion is not a number.
func RevisionOf(object metav1.Object) Revision { return ParseRevision(object.GetResourceVersion()) }

// ParseRevision parses a resourceVersion. It returns 0 if the text is not a number.
func ParseRevision(text string) Revision {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return Revision(n)
}

// String returns the revision as a resourceVersion.
func (r Revision) String() string { return strconv.FormatUint(uint64(r), 10) }

// Past is the state of an object at a revision, as far as the API server still had it.
type Past struct {
	Revision Revision
	Content  *configmap.Content
	Age      Age
}

// startedWith reports whether a pod's containers were started while the object existed. certain reports whether the object then
// held what it held when it was read.
func (p *Past) startedWith(run Run) (was, certain bool) {
	was = run.Revision > 0 && run.Revision <= p.Revision && !run.Started.Before(p.Age.Created)
	return was, was && !p.Age.older(run.Started)
}

// wasThere returns what the object held when some pod of the workload started, or nil if no reading proves that it existed. It
// prefers a reading that proves what the object held then.
func (c *Change) wasThere(w *Workload) *configmap.Content {
	var found *configmap.Content
	for i := range c.Past {
		for _, run := range w.Runs {
			switch was, certain := c.Past[i].startedWith(run); {
			case certain:
				return c.Past[i].Content
			case was && found == nil:
				found = c.Past[i].Content
			}
		}
	}
	return found
}

// proven returns what pods of the workload provably started with. If some pod started with other content than the present one,
// it returns that. It returns the present content if all pods started with it, or nil if that is not known.
func (c *Change) proven(w *Workload) *configmap.Content {
	all := len(w.Runs) > 0
	for _, run := range w.Runs {
		at := slices.IndexFunc(c.Past, func(p Past) bool { _, certain := p.startedWith(run); return certain })
		if at >= 0 && !c.Past[at].Content.Equal(c.present()) {
			return c.Past[at].Content
		}
		all = all && at >= 0
	}
	if all {
		return c.present()
	}
	return nil
}

// Recalls returns the revisions at which to read the object again to learn what pods started with. For each workload that is
// the earliest revision known to be later than the start of one of its pods.
func (c *Change) Recalls(workloads []Workload) []Revision {
	var all []Revision
	for i := range workloads {
		w := &workloads[i]
		if earliest := w.earliest(); earliest > 0 && c.recalls(w) {
			all = append(all, earliest)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (w *Workload) earliest() Revision {
	var revisions []Revision
	for _, run := range w.Runs {
		if run.Revision > 0 {
			revisions = append(revisions, run.Revision)
		}
	}
	if len(revisions) == 0 {
		return 0
	}
	return slices.Min(revisions)
}

// recalls reports whether only an earlier state of the object can tell what the pods of a workload started with.
func (c *Change) recalls(w *Workload) bool {
	note := w.Annotations[configmap.RecordKey(c.Object)]
	if w.Finished || !configmap.NamesPlainly(w.Spec, c.Object) || c.Versions[c.noted(w)] != nil {
		return false
	}
	if c.New == nil {
		verdict := c.gone(w, supposed(w.Spec, c.Object)).Judge(w.Spec).Verdict
		return c.Old == nil && note != configmap.Absent && (verdict == Restart || verdict == Live)
	}
	return c.Stale && c.Age.Revision > w.earliest()
}

// doubtful reports whether a key may have been removed since the pods of a workload started. The object was written later, and
// nothing records when or what.
func (c *Change) doubtful(w *Workload) bool {
	if !c.Stale || !configmap.NamesPlainly(w.Spec, c.Object) || c.Versions[c.noted(w)] != nil || c.Age.Revision == 0 {
		return false
	}
	for _, run := range w.Runs {
		untold := run.Revision > 0 && c.Age.Revision > run.Revision && c.Age.Written.Before(run.Started)
		if untold && !c.same(run) {
			return true
		}
	}
	return false
}

// same reports whether a reading proves that the object still holds what it held when a pod started.
func (c *Change) same(run Run) bool {
	return slices.ContainsFunc(c.Past, func(p Past) bool {
		_, certain := p.startedWith(run)
		return certain && p.Age.Revision <= run.Revision && p.Content.Equal(c.present())
	})
}

// doubt judges a workload whose pods may have started with keys that were removed since.
func (c *Change) doubt(w *Workload) Judgment {
	own := *c
	own.Old = supposed(w.Spec, c.Object)
	for key, value := range c.present().Text {
		own.Old.Text[key] = value
	}
	own.Old.Binary = c.present().Binary
	return uncertain(own.Judge(w.Spec), "keys may have been removed since its pods started")
}

// uncertain turns a judgment about what an object may have held into one that restarts nothing on a guess.
func uncertain(judged Judgment, why string) Judgment {
	if judged.Verdict != Restart {
		return Judgment{Verdict: None, Note: "its pods see for themselves what there is"}
	}
	var reasons []Reason
	for _, r := range judged.Reasons {
		if r.Effect != Restart {
			continue
		}
		r.Effect, r.Text = Unsupported, "may be left from before"
		for _, name := range []*string{&r.Key, &r.Variable, &r.Path} {
			*name = strings.TrimSuffix(strings.ReplaceAll(*name, anyKey, ""), "/")
		}
		reasons = append(reasons, r)
	}
	return Judgment{Verdict: Unsupported, Reasons: slices.Compact(reasons), Note: "it cannot be told: " + why, Uncertain: true}
}
