package rollout

import (
	"context"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// GoBack goes from the open rollout of a workload to an earlier revision, in one move and within the limits of the rollout.
// It does not pass through the version that the rollout came from, which may be broken too.
func (e *Engine) GoBack(ctx context.Context, kind string, key types.NamespacedName, revision int64) (*Result, error) {
	workload, err := e.Workload(ctx, kind, key)
	if err != nil {
		return nil, err
	}
	to, err := e.revisionNumbered(ctx, workload, revision)
	if err != nil {
		return nil, err
	}
	return e.goOn(ctx, kind, key, returning, to)
}

// revisionNumbered finds a revision by its number. Its error uses the words of kubectl rollout undo.
func (e *Engine) revisionNumbered(ctx context.Context, w workload.Object, number int64) (*Revision, error) {
	key := workload.KeyOf(w)
	history, err := history.Read(ctx, e.Client, workload.KindOf(w), key, false)
	if err != nil {
		return nil, err
	}
	found := history.Find(number)
	if found == nil {
		return nil, errNoRevision(w, number)
	}
	to := &Revision{Number: number}
	if workload.Of(w).HasReplicaSets {
		to.ReplicaSet = found.Name
	} else {
		to.ControllerRevision = found.Name
	}
	return to, nil
}

// HasRevision returns an error that names the revision if a workload has none with that number.
func (e *Engine) HasRevision(ctx context.Context, workload workload.Object, number int64) error {
	_, err := e.revisionNumbered(ctx, workload, number)
	return err
}

// destined returns a function that reads records with another version to go back to, or decode itself if to is nil.
func destined(decode decodeFunc, to *Revision) decodeFunc {
	if to == nil {
		return decode
	}
	return func(text string) (*Record, error) {
		record, err := decode(text)
		if err != nil {
			return nil, err
		}
		other := *record
		other.From = *to
		return &other, nil
	}
}
