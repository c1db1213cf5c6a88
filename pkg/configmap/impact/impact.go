package impact

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// Verdict is what a change of configuration means for a workload.
type Verdict string

// The verdicts, the gravest first.
const (
	// Block means that new pods could not start.
	Block Verdict = "block"
	// Restart means that running containers keep what they had when they started.
	Restart Verdict = "restart"
	// Unsupported means that the effect cannot be known, or this plugin does not replace the workload's pods.
	Unsupported Verdict = "unsupported"
	// Live means that only mounted files change, and they change in running containers.
	Live Verdict = "live"
	// None means that no container sees the change.
	None Verdict = "none"
)

func (v Verdict) rank() int {
	return slices.Index([]Verdict{Block, Restart, Unsupported, Live, None}, v)
}

// Reason is a place where a container sees a change. It never contains a value.
type Reason struct {
	// Effect is the verdict that this reason alone would give.
	Effect    Verdict
	Container string
	Source    configmap.Source
	Key       string
	Variable  string
	Path      string
	// Text says what happens there, as in "changes".
	Text string

	order int
}

// Judgment is what a change means for a workload, with the reasons. The gravest reason comes first.
type Judgment struct {
	Verdict Verdict
	Reasons []Reason
	// Note adds what the verdict alone does not say.
	Note string
	// Uncertain says that nothing proves what the pods run with. Such pods are left alone.
	Uncertain bool
}

// Change is a change of one object.
type Change struct {
	Object configmap.Object
	// Old is the present content, or nil if it is not known or the object does not exist. New is the proposed content, or nil
	// if the object is to be deleted or is already gone.
	Old, New *configmap.Content
	// Every says that New stands for any change of the existing keys, not for a proposed one. Such a change blocks nothing.
	Every bool
	// Present is what the object holds now, or nil if Old is that.
	Present *configmap.Content
	// Stale says that New is what the object already holds. The change then looks for workloads that run with something else.
	Stale bool
	// Age is the age of the object.
	Age Age
	// Past holds earlier states of the object in the order of their revisions, as far as they were read.
	Past []Past
	// Others holds further objects, with nil for one that does not exist. An object missing here is assumed to be the same
	// before and after, and to cover nothing of Object.
	Others map[configmap.Object]*configmap.Content
	// Versions holds copies of the object that templates reference in its place, with their contents. A nil content stands for
	// a version that is gone.
	Versions map[configmap.Object]*configmap.Content
}

// Supposed returns a change of every key of an object.
func Supposed(object configmap.Object, content *configmap.Content) *Change {
	return &Change{Object: object, Old: content, New: content.Every(), Every: true}
}

// Touches reports whether a reference to the given object sees this change: it is the changed object or one of its versions.
func (c *Change) Touches(object configmap.Object) bool {
	_, version := c.Versions[object]
	return version || object == c.Object
}

// pinned reports whether the given object is a version of the changed object. Running containers never see a version's files
// change.
func (c *Change) pinned(object configmap.Object) bool { return object != c.Object && c.Touches(object) }

// Concerns reports whether a pod template references the changed object or one of its versions.
func (c *Change) Concerns(spec *corev1.PodSpec) bool {
	return slices.ContainsFunc(configmap.References(spec), func(r configmap.Reference) bool { return c.Touches(r.Object) })
}

// Needs returns the other objects to read before judging a pod template. Some of them may cover variables or files of the
// changed object. The variables of others decide which of its files are mounted.
func (c *Change) Needs(spec *corev1.PodSpec) []configmap.Object {
	type scope struct {
		container, path string
		files           bool
	}
	scopeOf := func(r configmap.Reference) scope {
		return scope{r.Container, r.Path, r.Source != configmap.FromEnv && r.Source != configmap.FromEnvFrom}
	}
	references := slices.DeleteFunc(configmap.References(spec), func(r configmap.Reference) bool { return !r.Configures() })
	touched := map[scope]bool{}
	for _, r := range references {
		if c.Touches(r.Object) && r.Source != configmap.FromEnv {
			touched[scopeOf(r)] = true
		}
	}
	var needs []configmap.Object
	for _, r := range references {
		certain := len(r.Keys) > 0 && !r.Optional
		if touched[scopeOf(r)] && !c.Touches(r.Object) && !certain && !slices.Contains(needs, r.Object) {
			needs = append(needs, r.Object)
		}
	}
	for _, object := range c.pathNeeds(spec) {
		if !slices.Contains(needs, object) {
			needs = append(needs, object)
		}
	}
	return needs
}

// Judge returns what the change means for a pod template. It renders the template with the old and the new content and compares
// the results.
func (c *Change) Judge(spec *corev1.PodSpec) Judgment {
	before, after := render(spec, c.before, c.Touches, c.pinned), render(spec, c.after, c.Touches, c.pinned)
	changed := c.changed()
	reasons := c.differences(before, after, changed)
	if len(changed) > 0 {
		reasons = append(reasons, c.unattributed(spec, reasons)...)
	}
	reasons = ordered(reasons)
	if len(reasons) == 0 {
		return Judgment{Verdict: None, Note: c.whyNone(spec, changed)}
	}
	return Judgment{Verdict: reasons[0].Effect, Reasons: reasons}
}

func (c *Change) before(object configmap.Object) (*configmap.Content, bool) {
	if object == c.Object {
		return c.Old, true
	}
	if version, found := c.Versions[object]; found {
		return version, true
	}
	content, found := c.Others[object]
	return content, found
}

func (c *Change) after(object configmap.Object) (*configmap.Content, bool) {
	if c.Touches(object) {
		return c.New, true
	}
	return c.before(object)
}

// changed returns the keys that change.
func (c *Change) changed() []string {
	changed := configmap.ChangedKeys(c.Old, c.New)
	for _, version := range c.Versions {
		changed = append(changed, configmap.ChangedKeys(version, c.New)...)
	}
	return changed
}

// differences returns the reasons for which two views differ.
func (c *Change) differences(before, after view, changed []string) []Reason {
	var reasons []Reason
	var standing []fact
	for at, now := range after {
		was, had := before[at]
		switch {
		case now.problem != "" && had && was.problem == now.problem:
			standing = append(standing, now)
		case now.problem != "":
			reasons = append(reasons, c.reasons(now, changed, Block, now.problem)...)
		case !had:
			reasons = append(reasons, c.reasons(now, changed, now.effect(), "is added")...)
		case was.value != now.value:
			now.keys, now.once = append(slices.Clone(now.keys), was.keys...), now.once || was.once
			reasons = append(reasons, c.reasons(now, changed, now.effect(), "changes")...)
		}
	}
	for at, was := range before {
		if _, has := after[at]; has {
			continue
		}
		if was.problem != "" {
			reasons = append(reasons, c.reasons(was, changed, Restart, "is no longer missing")...)
		} else {
			reasons = append(reasons, c.reasons(was, changed, was.effect(), "goes away")...)
		}
	}
	// A problem that new pods already have matters only if the change needs new pods.
	if slices.ContainsFunc(reasons, func(r Reason) bool { return r.Effect == Restart }) {
		for _, f := range standing {
			reasons = append(reasons, c.reasons(f, changed, Block, f.problem+", neither now nor then")...)
		}
	}
	return reasons
}

func (f fact) effect() Verdict {
	if f.once {
		return Restart
	}
	return Live
}

// reasons returns one reason for each changed key that the fact comes from.
func (c *Change) reasons(f fact, changed []string, effect Verdict, text string) []Reason {
	reason := f.reason
	reason.Effect, reason.Text, reason.order = effect, text, f.order
	if c.Every && effect == Block {
		reason.Effect, reason.Text = Restart, "changes"
	}
	keys := slices.DeleteFunc(slices.Clone(f.keys), func(key string) bool { return !slices.Contains(changed, key) })
	if len(keys) == 0 {
		keys = f.keys
	}
	if len(keys) == 0 {
		return []Reason{reason}
	}
	reasons := make([]Reason, len(keys))
	for i, key := range keys {
		reasons[i] = reason
		reasons[i].Key = key
	}
	return reasons
}

// ordered sorts reasons by gravity and then by the start order of the containers, and drops duplicates. A reason that blocks at
// a place hides the others there.
func ordered(reasons []Reason) []Reason {
	slices.SortFunc(reasons, func(a, b Reason) int {
		return cmp.Or(
			cmp.Compare(a.Effect.rank(), b.Effect.rank()), cmp.Compare(a.order, b.order), cmp.Compare(a.Source.Rank(), b.Source.Rank()),
			cmp.Compare(a.Key, b.Key), cmp.Compare(a.Variable, b.Variable), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Text, b.Text),
		)
	})
	reasons = slices.Compact(reasons)
	var kept []Reason
	for _, r := range reasons {
		told := slices.ContainsFunc(kept, func(k Reason) bool {
			return k.Effect == Block && r.Effect != Block && k.Container == r.Container && k.Key == r.Key && k.Source == r.Source
		})
		if !told {
			kept = append(kept, r)
		}
	}
	return kept
}
