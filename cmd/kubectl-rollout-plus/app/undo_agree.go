package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/resource"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// goingBack lists, for a workload being undone, the configuration versions it will run with.
type goingBack struct {
	name string
	// versions maps each head to the version that the workload will run with. It maps a head to itself if the template
	// references it by its own name.
	versions map[configmap.Object]configmap.Object
	// gives holds the heads that get the content of their version in versions.
	gives map[configmap.Object]bool
}

// agree returns an error if going back with several workloads would give one object several contents. An object holds only
// one content, which would be that of the last workload.
func (u *undoer) agree(ctx context.Context, all []error) error {
	if u.keepConfig {
		return nil
	}
	in := map[string][]*resource.Info{}
	eachFound(all, func(info *resource.Info) error {
		if workload.Is(info.Object) {
			in[info.Namespace] = append(in[info.Namespace], info)
		}
		return nil
	})
	for _, namespace := range slices.Sorted(maps.Keys(in)) {
		if len(in[namespace]) < 2 {
			continue
		}
		if err := u.agreeWith(ctx, in[namespace]); err != nil {
			return err
		}
	}
	return nil
}

// agreeWith does this for the workloads of one namespace. It skips workloads it cannot judge: they report their error
// themselves when they go back.
func (u *undoer) agreeWith(ctx context.Context, infos []*resource.Info) error {
	if err := u.connect(); err != nil {
		return err
	}
	var before []*goingBack
	for _, info := range infos {
		back, err := u.lookAhead(ctx, info)
		switch {
		case context.Cause(ctx) != nil:
			return fmt.Errorf("%w before anything was rolled back", context.Cause(ctx))
		case err != nil || back == nil:
			continue
		}
		for _, other := range before {
			if err := other.disagrees(back, u.sharedConfig); err != nil {
				return err
			}
		}
		before = append(before, back)
	}
	return nil
}

// lookAhead finds out how going back with one object would change heads. It returns nil if no versions are involved.
func (u *undoer) lookAhead(ctx context.Context, info *resource.Info) (*goingBack, error) {
	config, err := u.restoring(ctx, info.Object, u.engine, u.env)
	if err != nil || config.restoration == nil || len(config.kept) == 0 {
		return nil, err
	}
	back := &goingBack{name: nameOf(config.of), versions: map[configmap.Object]configmap.Object{}, gives: map[configmap.Object]bool{}}
	if u.toRevision == 0 && mayBeOpen(info) {
		if _, record, err := rollout.OpenIn(config.of); err == nil && record != nil {
			back.fromNote(store.NoteOf(record))
			return back, nil
		}
	}
	target, err := u.target(ctx, info)
	if err != nil {
		return nil, err
	}
	return back, back.fromTemplates(ctx, config.restoration, workload.TemplateOf(info.Object), target)
}

var errLooked = errors.New("this was but a look")

// target returns the template that an object would go back to. It writes nothing.
func (u *undoer) target(ctx context.Context, info *resource.Info) (*corev1.PodTemplateSpec, error) {
	_, target, err := u.look(ctx, info)
	return target, err
}

// look computes the rollback of an object without writing it.
func (u *undoer) look(ctx context.Context, info *resource.Info) (*rollback, *corev1.PodTemplateSpec, error) {
	var target *corev1.PodTemplateSpec
	r := &rollback{
		client: u.engine.Client, toRevision: u.toRevision, dryRun: cmdutil.DryRunNone, fieldManager: u.fieldManager,
		before: func(template *corev1.PodTemplateSpec) error {
			target = template
			return errLooked // keeps the rollbacker from writing
		},
	}
	_, err := r.run(ctx, info.ResourceMapping().GroupVersionKind.GroupKind(), info.Object)
	switch {
	case target != nil:
		return r, target, nil
	case err != nil:
		return nil, nil, err
	}
	return r, workload.TemplateOf(info.Object), nil // the object is at the target already
}

// fromNote fills in the head of an open rollout's note, since that rollout is aborted.
func (b *goingBack) fromNote(note *store.Note) {
	if note != nil {
		b.versions[note.Head()], b.gives[note.Head()] = note.Version(note.Before), true
	}
}

func (b *goingBack) fromTemplates(ctx context.Context, r *restoration, from, target *corev1.PodTemplateSpec) error {
	leaving := configmap.NewHolder(metav1.OwnerReference{}, true, from)
	holder := configmap.NewHolder(metav1.OwnerReference{}, true, target)
	left, err := r.leftIn(ctx, &leaving, &holder, target)
	if err != nil {
		return err
	}
	for head := range r.heads {
		if holder.Unrecorded(head) {
			b.versions[head] = head
		}
	}
	for object, kept := range r.kept {
		if holder.Needs(object) {
			b.versions[kept.Head] = object
		}
	}
	wanted, _ := certain(r.wanted(&leaving, &holder, target.Annotations, left))
	for _, give := range wanted {
		b.versions[give.kept.Head], b.gives[give.kept.Head] = give.kept.Object, true
	}
	return nil
}

// disagrees returns an error that says why two workloads cannot go back together, or nil if they can.
func (b *goingBack) disagrees(other *goingBack, shared bool) error {
	for _, head := range slices.SortedFunc(maps.Keys(b.versions), configmap.Object.Compare) {
		mine := b.versions[head]
		theirs, uses := other.versions[head]
		switch {
		case !uses || mine == theirs || !b.gives[head] && !other.gives[head]:
			continue
		case b.gives[head] && other.gives[head]:
			return fmt.Errorf("nothing was written: %s can hold but one of what %s goes back to (%s) and what %s goes back to (%s); "+
				"go back with one after the other and --shared-config, of which the last counts, or with both and --keep-config, which leaves it",
				head, b.name, mine.Name, other.name, theirs.Name)
		case shared:
			continue
		}
		giver, user := b, other
		if other.gives[head] {
			giver, user = other, b
		}
		return fmt.Errorf("nothing was written: going back with %s would give %s what %s holds, and %s, which goes back too, runs with %s then; "+
			"--shared-config changes it all the same, --keep-config leaves it",
			giver.name, head, giver.versions[head].Name, user.name, user.versions[head].Name)
	}
	return nil
}
