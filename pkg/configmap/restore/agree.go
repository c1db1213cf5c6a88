package restore

import (
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

// Going lists, for a workload being undone, the configuration versions it will run with.
type Going struct {
	name string
	// versions maps each head to the version that the workload will run with. It maps a head to itself if the template
	// references it by its own name.
	versions map[configmap.Object]configmap.Object
	// gives holds the heads that get the content of their version in versions.
	gives map[configmap.Object]bool
}

// NewGoing returns the list of a workload, without versions.
func NewGoing(name string) *Going {
	return &Going{name: name, versions: map[configmap.Object]configmap.Object{}, gives: map[configmap.Object]bool{}}
}

// Agree returns an error if a workload cannot go back together with one of others.
func (b *Going) Agree(others []*Going, shared bool, advice Advice) error {
	for _, other := range others {
		if err := other.disagrees(b, shared, advice); err != nil {
			return err
		}
	}
	return nil
}

// FromNote fills in the head of an open rollout's note, since that rollout is aborted.
func (b *Going) FromNote(note *store.Note) {
	if note != nil {
		b.versions[note.Head()], b.gives[note.Head()] = note.Version(note.Before), true
	}
}

// FromTemplates fills in what going back from one template to another does to objects.
func (b *Going) FromTemplates(ctx context.Context, r *Restoration, from, target *corev1.PodTemplateSpec) error {
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
func (b *Going) disagrees(other *Going, shared bool, advice Advice) error {
	for _, head := range slices.SortedFunc(maps.Keys(b.versions), configmap.Object.Compare) {
		mine := b.versions[head]
		theirs, uses := other.versions[head]
		switch {
		case !uses || mine == theirs || !b.gives[head] && !other.gives[head]:
			continue
		case b.gives[head] && other.gives[head]:
			return fmt.Errorf("nothing was written: %s can hold but one of what %s goes back to (%s) and what %s goes back to (%s); "+
				"%s",
				head, b.name, mine.Name, other.name, theirs.Name, advice.Several)
		case shared:
			continue
		}
		giver, user := b, other
		if other.gives[head] {
			giver, user = other, b
		}
		return fmt.Errorf("nothing was written: going back with %s would give %s what %s holds, and %s, which goes back too, runs with %s then; "+
			"%s",
			giver.name, head, giver.versions[head].Name, user.name, user.versions[head].Name, advice.Shared)
	}
	return nil
}
