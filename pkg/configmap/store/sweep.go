package store

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// Sweep makes the users of each version its owners, and removes versions that nothing needs any more.
func (s *Versions) Sweep(ctx context.Context, kinds []configmap.Kind, settled configmap.Settled) error {
	var all []configmap.Kept
	for _, kind := range kinds {
		some, err := s.Metadata(ctx, kind, configmap.HeadLabel)
		if err != nil {
			return fmt.Errorf("cannot list the versions in namespace %q: %w", s.Namespace, err)
		}
		all = append(all, some...)
	}
	if len(all) == 0 {
		return nil
	}
	holders, err := s.holders(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for i := range all {
		kept := &all[i]
		keeping := kept.Keep(holders, settled, s.Clock.Now())
		switch {
		case keeping.Unneeded:
			err = s.removeUnneeded(ctx, kept)
		case keeping.Owners != nil:
			err = s.Own(ctx, kept, keeping.Owners)
		default:
			continue
		}
		// If others have changed a version meanwhile, the next sweep handles it.
		if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			failures = append(failures, fmt.Errorf("cannot keep %s in namespace %q in order: %w", kept.Object, s.Namespace, err))
		}
	}
	return errors.Join(failures...)
}

// There returns nil if an object exists. It does not read the content.
func (s *Versions) There(ctx context.Context, object configmap.Object) error {
	return s.Client.CoreV1().RESTClient().Get().Namespace(s.Namespace).Resource(object.Kind.Resource()).Name(object.Name).
		SetHeader("Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1").Do(ctx).Error()
}
