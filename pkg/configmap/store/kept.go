package store

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// Kept finds versions that were kept for revisions whose templates do not note what they ran with. It lists the
// versions of a kind only once.
type Kept struct {
	reader *Reader
	listed map[configmap.Kind][]configmap.Kept
}

// NewKept returns a finder of kept versions that reads with the reader.
func NewKept(reader *Reader) *Kept {
	return &Kept{reader: reader, listed: map[configmap.Kind][]configmap.Kept{}}
}

// Version returns the name of the version that a revision took its configuration from. It returns "" if that is unknown,
// for example without the right to list versions.
func (k *Kept) Version(ctx context.Context, use configmap.Use, revision types.UID) (string, error) {
	if use.Version != "" {
		return use.Version, nil
	}
	all, known := k.listed[use.Head.Kind]
	if !known {
		var err error
		all, err = k.reader.Metadata(ctx, use.Head.Kind, configmap.HeadLabel)
		switch {
		case context.Cause(ctx) != nil:
			return "", context.Cause(ctx)
		case err != nil && !apierrors.IsForbidden(err):
			return "", err
		}
		k.listed[use.Head.Kind] = all
	}
	if kept := configmap.KeptFor(map[types.UID]bool{revision: true}, use.Head, all); kept != nil {
		return kept.Object.Name, nil
	}
	return "", nil
}
