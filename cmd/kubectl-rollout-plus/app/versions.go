package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// versionStore writes and reads the versions of a namespace.
type versionStore struct {
	*configReader
	clock        clock.Clock
	fieldManager string
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
		err := s.create(ctx, version, owners, try)
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
		err = s.patch(ctx, &configmap.Kept{Object: version.Object, Meta: existing.meta}, all, try)
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

func (s *versionStore) create(ctx context.Context, v *configmap.Version, owners []metav1.OwnerReference, try bool) error {
	options := metav1.CreateOptions{FieldManager: s.fieldManager, DryRun: dryRunAll(try)}
	if v.Head.Kind == configmap.Secret {
		secret := v.Secret(s.now())
		secret.OwnerReferences = owners
		_, err := s.client.CoreV1().Secrets(s.namespace).Create(ctx, secret, options)
		return err
	}
	object := v.ConfigMap(s.now())
	object.OwnerReferences = owners
	_, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, object, options)
	return err
}

// patch gives a version its owners, and a new time of claim. It is refused if somebody else has written it meanwhile.
func (s *versionStore) patch(ctx context.Context, kept *configmap.Kept, owners []metav1.OwnerReference, try bool) error {
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
	options := metav1.PatchOptions{FieldManager: s.fieldManager, DryRun: dryRunAll(try)}
	if kept.Object.Kind == configmap.Secret {
		_, err = s.client.CoreV1().Secrets(s.namespace).Patch(ctx, kept.Object.Name, types.MergePatchType, body, options)
	} else {
		_, err = s.client.CoreV1().ConfigMaps(s.namespace).Patch(ctx, kept.Object.Name, types.MergePatchType, body, options)
	}
	return err
}

// remove deletes a version that nothing needs, if it still is as it was looked at.
func (s *versionStore) remove(ctx context.Context, kept *configmap.Kept) error {
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &kept.Meta.UID, ResourceVersion: &kept.Meta.ResourceVersion}}
	if kept.Object.Kind == configmap.Secret {
		return s.client.CoreV1().Secrets(s.namespace).Delete(ctx, kept.Object.Name, options)
	}
	return s.client.CoreV1().ConfigMaps(s.namespace).Delete(ctx, kept.Object.Name, options)
}
