package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// versionStore writes and reads the versions of a namespace.
type versionStore struct {
	*configReader
	clock        clock.Clock
	fieldManager string
	// foresees has versions be named, and nothing asked or written.
	foresees bool
}

// claimTries is how often a version is claimed anew that others write at the same time.
const claimTries = 10

// dryRunAll has the API server only try a write.
func dryRunAll(try bool) []string {
	if try {
		return []string{metav1.DryRunAll}
	}
	return nil
}

// ensure writes the version of a content, or takes the one that there is. The owners are those that are about to
// reference it. With try, the API server only tells whether it would take it.
func (s *versionStore) ensure(ctx context.Context, head configmap.Object, content *configmap.Content, owners []metav1.OwnerReference, try bool,
) (*configmap.Version, error) {
	if s.foresees {
		return configmap.NewVersion(head, content, 0)
	}
	for n := range configmap.VersionNames {
		version, err := configmap.NewVersion(head, content, n)
		if err != nil {
			return nil, err
		}
		taken, err := s.claim(ctx, version, owners, try)
		if err != nil {
			return nil, fmt.Errorf("cannot write %s, a version of %s in namespace %q: %w", version.Object, head, s.namespace, err)
		}
		if taken {
			return version, nil
		}
	}
	return nil, fmt.Errorf("all names for the new version of %s in namespace %q are taken by other objects; delete or rename them", head, s.namespace)
}

// claim creates a version or, where it exists, notes who is about to reference it. It is not taken where something else has
// the name.
func (s *versionStore) claim(ctx context.Context, version *configmap.Version, owners []metav1.OwnerReference, try bool) (bool, error) {
	for range claimTries {
		meta := version.Meta(s.now())
		meta.OwnerReferences = owners
		_, err := s.create(ctx, version.Object.Kind, version.Content, meta, new(true), try)
		if !apierrors.IsAlreadyExists(err) {
			return err == nil, err
		}
		existing, err := s.get(ctx, version.Object)
		switch {
		case apierrors.IsNotFound(err):
			continue // it has just been removed
		case err != nil:
			return false, err
		case !version.Is(&existing.meta, existing.immutable, existing.content) || existing.meta.DeletionTimestamp != nil:
			return false, nil
		}
		all := existing.meta.OwnerReferences
		for _, owner := range owners {
			all = withOwner(all, owner)
		}
		err = s.reclaim(ctx, &configmap.Kept{Object: version.Object, Meta: existing.meta}, all, try)
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

func (s *versionStore) now() string { return s.clock.Now().UTC().Format(time.RFC3339) }

// create makes an object, and gives what it is then. With try, the API server only tells whether it would take it.
func (s *versionStore) create(ctx context.Context, kind configmap.Kind, content *configmap.Content, meta metav1.ObjectMeta, immutable *bool, try bool,
) (*read, error) {
	options := metav1.CreateOptions{FieldManager: s.fieldManager, DryRun: dryRunAll(try)}
	if kind == configmap.Secret {
		return written(secretsOf(s.client, s.namespace).Create(ctx, content.Secret(meta, immutable), options))
	}
	return written(s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, content.ConfigMap(meta, immutable), options))
}

// patch changes an object, and gives what it is then. With try, the API server only tells whether it would take it.
func (s *versionStore) patch(ctx context.Context, object configmap.Object, kind types.PatchType, body []byte, try bool) (*read, error) {
	options := metav1.PatchOptions{FieldManager: s.fieldManager, DryRun: dryRunAll(try)}
	if object.Kind == configmap.Secret {
		return written(secretsOf(s.client, s.namespace).Patch(ctx, object.Name, kind, body, options))
	}
	return written(s.client.CoreV1().ConfigMaps(s.namespace).Patch(ctx, object.Name, kind, body, options))
}

// written is what the API server answers to a write.
func written[T runtime.Object](object T, err error) (*read, error) {
	if err != nil {
		return nil, err
	}
	return readOf(object), nil
}

// reclaim gives a version its owners, and a new time of claim. It is refused if somebody else has written it meanwhile.
func (s *versionStore) reclaim(ctx context.Context, kept *configmap.Kept, owners []metav1.OwnerReference, try bool) error {
	return s.merge(ctx, kept, map[string]any{
		"ownerReferences": owners, "annotations": map[string]string{configmap.ClaimAnnotation: s.now()},
	}, try)
}

// own gives a version its owners.
func (s *versionStore) own(ctx context.Context, kept *configmap.Kept, owners []metav1.OwnerReference) error {
	return s.merge(ctx, kept, map[string]any{"ownerReferences": owners}, false)
}

func (s *versionStore) merge(ctx context.Context, kept *configmap.Kept, metadata map[string]any, try bool) error {
	metadata["resourceVersion"], metadata["uid"] = kept.Meta.ResourceVersion, kept.Meta.UID
	body, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return err
	}
	_, err = s.patch(ctx, kept.Object, types.MergePatchType, body, try)
	return err
}

// remove deletes a version that nothing needs, if it still is as it was looked at.
func (s *versionStore) remove(ctx context.Context, kept *configmap.Kept) error {
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &kept.Meta.UID, ResourceVersion: &kept.Meta.ResourceVersion}}
	if kept.Object.Kind == configmap.Secret {
		return secretsOf(s.client, s.namespace).Delete(ctx, kept.Object.Name, options)
	}
	return s.client.CoreV1().ConfigMaps(s.namespace).Delete(ctx, kept.Object.Name, options)
}
