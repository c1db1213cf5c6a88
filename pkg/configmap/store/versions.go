package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// Versions reads and writes the versions of a namespace.
type Versions struct {
	*Reader
	Clock        clock.Clock
	FieldManager string
	// Foresees makes ensure only name versions. It then sends no request.
	Foresees bool
	// drawn holds the versions of Secrets that have got a random name. So a version is written under the name that it was
	// tried with.
	drawn map[drawnFor]*configmap.Version
}

// drawnFor identifies the content that a name was drawn for.
type drawnFor struct {
	head configmap.Object
	sum  string
}

// ClockTolerance is how far a clock may be off the API server's before it is corrected. The API server tells its time in full
// seconds.
const ClockTolerance = 2 * time.Second

// claimTries is how often the store claims a version that others write at the same time.
const claimTries = 10

// DryRunAll returns the option that makes a write a server dry run.
func DryRunAll(try bool) []string {
	if try {
		return []string{metav1.DryRunAll}
	}
	return nil
}

// Ensure writes the version of a content, or takes an existing one. Its owners are the objects that will reference it. With
// try, it is only a server dry run.
func (s *Versions) Ensure(ctx context.Context, head configmap.Object, content *configmap.Content, owners []metav1.OwnerReference, try bool,
) (*configmap.Version, error) {
	for n := range configmap.VersionNames {
		version, err := s.named(ctx, head, content, n)
		if err != nil {
			return nil, err
		}
		if s.Foresees {
			return version, nil
		}
		taken, err := s.claim(ctx, version, owners, try)
		if err != nil {
			return nil, fmt.Errorf("cannot write %s, a version of %s in namespace %q: %w", version.Object, head, s.Namespace, err)
		}
		if taken {
			return version, nil
		}
	}
	return nil, fmt.Errorf("all names for the new version of %s in namespace %q are taken by other objects; delete or rename them", head, s.Namespace)
}

// named returns the version of a content with the name for a try; each try has another name. Equal content has the same
// name, so a workload that goes back to it uses its old ReplicaSet again. The name for a Secret is random, and is looked up
// among the existing versions.
func (s *Versions) named(ctx context.Context, head configmap.Object, content *configmap.Content, try int) (*configmap.Version, error) {
	if head.Kind != configmap.Secret {
		return configmap.NewVersion(head, content, try)
	}
	of := drawnFor{head, content.Sum()}
	version := s.drawn[of]
	if try == 0 && version != nil {
		return version, nil
	}
	var err error
	if version = nil; try == 0 && !s.Foresees {
		version, err = s.known(ctx, head, content)
	}
	if version == nil && err == nil {
		version, err = configmap.RandomVersion(head, content)
	}
	if err != nil {
		return nil, err
	}
	if s.drawn == nil {
		s.drawn = map[drawnFor]*configmap.Version{}
	}
	s.drawn[of] = version
	return version, nil
}

// known returns the oldest version that has this content, or nil if there is none.
func (s *Versions) known(ctx context.Context, head configmap.Object, content *configmap.Content) (*configmap.Version, error) {
	all, err := s.Metadata(ctx, head.Kind, configmap.HeadSelector(head))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b configmap.Kept) int {
		return cmp.Or(a.Meta.CreationTimestamp.Compare(b.Meta.CreationTimestamp.Time), a.Object.Compare(b.Object))
	})
	for i := range all {
		version := &configmap.Version{Object: all[i].Object, Head: head, Content: content}
		if all[i].Head != head || !all[i].Holds(content) || all[i].Meta.DeletionTimestamp != nil {
			continue
		}
		switch found, err := s.Get(ctx, version.Object); {
		case apierrors.IsNotFound(err):
		case err != nil:
			return nil, err
		case version.Is(found.Stored()):
			return version, nil
		}
	}
	return nil, nil
}

// claim creates a version. If it exists, claim adds the owners that will reference it. It returns false if another object
// has the name.
func (s *Versions) claim(ctx context.Context, version *configmap.Version, owners []metav1.OwnerReference, try bool) (bool, error) {
	for range claimTries {
		meta := version.Meta(s.Namespace, s.now())
		meta.OwnerReferences = owners
		_, err := s.create(ctx, version.Object.Kind, version.Content, meta, new(true), try)
		if !apierrors.IsAlreadyExists(err) {
			return err == nil, err
		}
		existing, err := s.Get(ctx, version.Object)
		switch {
		case apierrors.IsNotFound(err):
			continue // it has just been removed
		case err != nil:
			return false, err
		case !version.Is(existing.Stored()) || existing.Meta.DeletionTimestamp != nil:
			return false, nil
		}
		all := existing.Meta.OwnerReferences
		for _, owner := range owners {
			all = withOwner(all, owner)
		}
		err = s.reclaim(ctx, &configmap.Kept{Object: version.Object, Meta: existing.Meta}, all, try)
		if err == nil || !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return err == nil, err
		}
	}
	return false, fmt.Errorf("others change it all the time; try again")
}

func withOwner(owners []metav1.OwnerReference, owner metav1.OwnerReference) []metav1.OwnerReference {
	for i := range owners {
		if owners[i].UID == owner.UID {
			return owners
		}
	}
	return append(owners, owner)
}

func (s *Versions) now() string { return s.Clock.Now().UTC().Format(time.RFC3339) }

// create creates an object, and returns it as the API server did. With try, it is only a server dry run.
func (s *Versions) create(ctx context.Context, kind configmap.Kind, content *configmap.Content, meta metav1.ObjectMeta, immutable *bool, try bool,
) (*State, error) {
	options := metav1.CreateOptions{FieldManager: s.FieldManager, DryRun: DryRunAll(try)}
	if kind == configmap.Secret {
		return written(s.Client.CoreV1().Secrets(s.Namespace).Create(ctx, content.Secret(meta, immutable), options))
	}
	return written(s.Client.CoreV1().ConfigMaps(s.Namespace).Create(ctx, content.ConfigMap(meta, immutable), options))
}

// patch changes an object, and returns it as the API server did. With try, it is only a server dry run.
func (s *Versions) patch(ctx context.Context, object configmap.Object, kind types.PatchType, body []byte, try bool) (*State, error) {
	options := metav1.PatchOptions{FieldManager: s.FieldManager, DryRun: DryRunAll(try)}
	if object.Kind == configmap.Secret {
		return written(s.Client.CoreV1().Secrets(s.Namespace).Patch(ctx, object.Name, kind, body, options))
	}
	return written(s.Client.CoreV1().ConfigMaps(s.Namespace).Patch(ctx, object.Name, kind, body, options))
}

// written converts the API server's answer to a write.
func written[T runtime.Object](object T, err error) (*State, error) {
	if err != nil {
		return nil, err
	}
	return StateOf(object), nil
}

// reclaim sets the owners of a version and a new time of claim. It fails if somebody else has written the version
// meanwhile.
func (s *Versions) reclaim(ctx context.Context, kept *configmap.Kept, owners []metav1.OwnerReference, try bool) error {
	return s.merge(ctx, kept, map[string]any{
		"ownerReferences": owners, "annotations": map[string]string{configmap.ClaimAnnotation: s.now()},
	}, try)
}

// Own sets the owners of a version. It leaves an object alone that is not provably a version, since the garbage collector
// would delete it together with the owners.
func (s *Versions) Own(ctx context.Context, kept *configmap.Kept, owners []metav1.OwnerReference) error {
	if now, err := s.Get(ctx, kept.Object); err != nil || !now.Stored().IsOurs() {
		return err
	}
	return s.merge(ctx, kept, map[string]any{"ownerReferences": owners}, false)
}

func (s *Versions) merge(ctx context.Context, kept *configmap.Kept, metadata map[string]any, try bool) error {
	metadata["resourceVersion"], metadata["uid"] = kept.Meta.ResourceVersion, kept.Meta.UID
	body, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return err
	}
	_, err = s.patch(ctx, kept.Object, types.MergePatchType, body, try)
	return err
}

// removeUnneeded deletes a version that nothing needs. It reads the version again. It deletes only what is provably a
// version that nobody has changed or marked.
func (s *Versions) removeUnneeded(ctx context.Context, kept *configmap.Kept) error {
	now, err := s.Get(ctx, kept.Object)
	if err != nil || now.Meta.UID != kept.Meta.UID || now.Meta.ResourceVersion != kept.Meta.ResourceVersion {
		return err
	}
	if stored := now.Stored(); !stored.IsOurs() || stored.IsMarked() {
		return nil
	}
	return s.remove(ctx, kept)
}

// remove deletes an object if it has not changed since it was read.
func (s *Versions) remove(ctx context.Context, kept *configmap.Kept) error {
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &kept.Meta.UID, ResourceVersion: &kept.Meta.ResourceVersion}}
	if kept.Object.Kind == configmap.Secret {
		return s.Client.CoreV1().Secrets(s.Namespace).Delete(ctx, kept.Object.Name, options)
	}
	return s.Client.CoreV1().ConfigMaps(s.Namespace).Delete(ctx, kept.Object.Name, options)
}
