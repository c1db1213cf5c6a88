package store

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
)

// Found is the state in which swap found an object.
type Found int

const (
	// FoundChanged means that the object had the old content, and has the new one now.
	FoundChanged Found = iota
	// foundSwapped means that the object had the new content already.
	foundSwapped
	// FoundOther means that somebody has changed the object since. It is left alone.
	FoundOther
	// FoundGone means that the object was deleted.
	FoundGone
)

// Swap replaces one content of an object by another. Concurrent changes of anything but the content do not hinder it.
func (s *Session) Swap(ctx context.Context, object configmap.Object, from, to *configmap.Content) (Found, error) {
	for try := 1; ; try++ {
		now, err := s.Reader.Get(ctx, object)
		switch {
		case apierrors.IsNotFound(err):
			return FoundGone, nil
		case err != nil:
			return FoundOther, err
		case now.Content.Equal(to):
			return foundSwapped, nil
		case !now.Content.Equal(from):
			return FoundOther, nil
		}
		_, err = s.Write(ctx, &Live{Object: object, State: now}, to, false)
		if !apierrors.IsConflict(err) || try >= kube.ConflictTries {
			return FoundChanged, err
		}
		if err := kube.PauseForConflict(ctx, s.Engine.Clock, try); err != nil {
			return FoundOther, err
		}
	}
}
