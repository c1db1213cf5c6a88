package restore

import (
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Restoration gives heads the content that a template's pods ran with.
type Restoration struct {
	*store.Session
	// Of is the workload that goes back.
	Of workload.Object
	// shared allows to overwrite heads that other workloads use. Without it, restoring such a head is an error. If lenient is
	// set, that is no error: nobody can be asked, so the head stays as it is, with a message.
	shared, Lenient bool
	// advice completes errors.
	advice Advice
	// GoingBack names workloads that go back too. They do not count as other users of a head.
	GoingBack map[string]bool
	// note describes a head that has been given back already.
	note  *store.Note
	kept  map[configmap.Object]configmap.Kept
	heads map[configmap.Object]bool
}

// Advice is how a command says what its user can do about a refusal.
type Advice struct {
	// Shared is for an object that others use too.
	Shared string
	// Several is for an object that can hold only one of several contents.
	Several string
	// Missing is for an object that a revision needs and that does not exist.
	Missing string
	// Unkept is for an edited object whose content could not be kept.
	Unkept string
}

// Written is a head that was given new content, together with its content before.
type Written struct {
	Live   *store.Live
	before *configmap.Content
}

// LookUp reads which versions exist, and reports whether there are any. Without the right to list them, there is nothing to
// restore.
func (r *Restoration) LookUp(ctx context.Context) (bool, error) {
	r.kept, r.heads = map[configmap.Object]configmap.Kept{}, map[configmap.Object]bool{}
	for _, kind := range []configmap.Kind{configmap.ConfigMap, configmap.Secret} {
		some, err := r.Versions.Metadata(ctx, kind, configmap.HeadLabel)
		switch {
		case context.Cause(ctx) != nil:
			return false, context.Cause(ctx)
		case err != nil && !apierrors.IsForbidden(err):
			return false, err
		}
		for i := range some {
			r.kept[some[i].Object], r.heads[some[i].Head] = some[i], true
		}
	}
	return len(r.kept) > 0, nil
}

// giving is a head that is to get the content of a version.
type giving struct {
	kept    configmap.Kept
	now     *store.State
	version *configmap.Content
	// plain is true if the revision's template references the head by its own name. Its pods start with the head's content.
	plain bool
	// left is true if the revision's template does not note the head's content, but somebody has kept it.
	left bool
}

// To restores the heads whose versions a template names. It skips versions that the template before names too, unless they
// are in place. It returns the heads it has written. If one head may not be overwritten, it writes none.
func (r *Restoration) To(ctx context.Context, from, template *corev1.PodTemplateSpec) ([]Written, error) {
	leaving := configmap.NewHolder(metav1.OwnerReference{}, true, from)
	holder := configmap.NewHolder(metav1.OwnerReference{}, true, template)
	if err := r.CheckThere(ctx, template); err != nil {
		return nil, err
	}
	left, err := r.leftIn(ctx, &leaving, &holder, template)
	if err != nil {
		return nil, err
	}
	wanted, uncertain := certain(r.wanted(&leaving, &holder, template.Annotations, left))
	for _, head := range uncertain {
		r.Emit.Note("%s had several contents in that revision; it stays as it is", head)
	}
	planned, err := r.plan(ctx, &leaving, wanted)
	if err != nil {
		return nil, err
	}
	for i := range planned {
		if err := r.keepEdited(ctx, &leaving, planned[i].kept.Head, planned[i].now.Content); err != nil {
			return nil, err
		}
	}
	var done []Written
	for i := range planned {
		give := &planned[i]
		written, err := r.Write(ctx, &store.Live{Object: give.kept.Head, State: give.now}, give.version, false)
		if err != nil {
			return nil, errors.Join(err, r.takeBack(ctx, done))
		}
		what := "it held in that revision"
		if give.left {
			what = "was kept for that revision"
		}
		r.Emit.Note("%s holds again what %s (%s)", give.kept.Head, what, give.kept.Object.Name)
		done = append(done, Written{Live: written, before: give.now.Content})
	}
	for head := range r.heads {
		_, known := left[head]
		if holder.Unrecorded(head) && !leaving.Unrecorded(head) && !r.noted(head) && !known {
			r.Emit.Note("what %s held in that revision is not recorded; it stays as it is", head)
		}
	}
	return done, r.tellAbsent(ctx, &leaving, template)
}

// wanted returns the versions whose content heads should have, even if they have it already.
func (r *Restoration) wanted(leaving, holder *configmap.Holder, annotations map[string]string, left map[configmap.Object]configmap.Kept) []giving {
	var wanted []giving
	for object, kept := range r.kept {
		// In place, the templates alone do not decide if both name the version: somebody may have edited the head since. If both
		// reference the version, pods see no difference. An edit of the head then waits for its own rollout and does not hinder
		// this.
		inPlace := annotations[configmap.RecordKey(kept.Head)] == object.Name && holder.Needs(kept.Head)
		if !holder.Needs(object) || leaving.Needs(object) && (r.Lenient || !inPlace) || r.noted(kept.Head) {
			continue
		}
		wanted = append(wanted, giving{kept: kept, plain: holder.Needs(kept.Head)})
	}
	for head, kept := range left {
		if !slices.ContainsFunc(wanted, func(g giving) bool { return g.kept.Head == head }) {
			wanted = append(wanted, giving{kept: kept, left: true, plain: true})
		}
	}
	slices.SortFunc(wanted, func(a, b giving) int { return a.kept.Object.Compare(b.kept.Object) })
	return wanted
}

// certain removes heads of which a template names several versions, since a head holds only one content. A template made by
// hand may do that. It returns those heads as well.
func certain(wanted []giving) (some []giving, uncertain []configmap.Object) {
	versions := map[configmap.Object]int{}
	for i := range wanted {
		head := wanted[i].kept.Head
		if versions[head]++; versions[head] == 2 {
			uncertain = append(uncertain, head)
		}
	}
	return slices.DeleteFunc(wanted, func(g giving) bool { return versions[g.kept.Head] > 1 }), uncertain
}

// plan returns the heads that need other content. It handles heads that other workloads use as unshared does, unless shared
// is set.
func (r *Restoration) plan(ctx context.Context, leaving *configmap.Holder, wanted []giving) ([]giving, error) {
	var planned []giving
	for i := range wanted {
		give := &wanted[i]
		differs, err := r.differs(ctx, leaving, give)
		if err != nil {
			return nil, err
		}
		if differs {
			planned = append(planned, *give)
		}
	}
	if len(planned) == 0 || r.shared {
		return planned, nil
	}
	return r.unshared(ctx, planned)
}

// noted reports whether the rollout's note covers a head, which is given back already.
func (r *Restoration) noted(head configmap.Object) bool {
	return r.note != nil && r.note.Head() == head
}

// differs reports whether a head needs the content of a version. It reads both into give.
func (r *Restoration) differs(ctx context.Context, leaving *configmap.Holder, give *giving) (bool, error) {
	kept := &give.kept
	version, err := r.Reader.Get(ctx, kept.Object)
	if err != nil {
		return false, err
	}
	if _, is := version.Stored().Version(); !is {
		return false, nil // a copy under another name does not record what the head held
	}
	give.version = version.Content
	give.now, err = r.Reader.Get(ctx, kept.Head)
	if apierrors.IsNotFound(err) {
		r.Emit.Note("%s was deleted; %s has what it held", kept.Head, kept.Object)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if give.now.Content.Equal(give.version) || give.now.Immutable {
		return false, nil
	}
	if r.Lenient {
		// If the head holds anything else, somebody has changed it since for another reason.
		return r.isOf(ctx, leaving, kept.Head, give.now.Content)
	}
	return true, nil
}

// isOf reports whether a head holds the content of one of its versions that a template names.
func (r *Restoration) isOf(ctx context.Context, holder *configmap.Holder, head configmap.Object, content *configmap.Content) (bool, error) {
	for object, kept := range r.kept {
		if kept.Head != head || !holder.Needs(object) {
			continue
		}
		version, err := r.Reader.Content(ctx, object)
		if err != nil || version.Equal(content) {
			return err == nil, err
		}
	}
	return false, nil
}

// takeBack gives heads their content from before, after going back has failed.
func (r *Restoration) takeBack(ctx context.Context, done []Written) error {
	var failures []error
	for i := range done {
		if _, err := r.Write(ctx, done[i].Live, done[i].before, false); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}
