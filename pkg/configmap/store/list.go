package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// Listed is a version of a head, together with its users.
type Listed struct {
	configmap.Kept
	Content *configmap.Content
	Users   []string
	// Leavers names revisions that own the version but whose templates do not name it.
	Leavers []string
	// revision is the highest number of the revisions that use it.
	revision int64
}

// List reads the versions of a head, oldest first.
func (s *Session) List(ctx context.Context, head configmap.Object) ([]Listed, error) {
	kept, err := s.Versions.Metadata(ctx, head.Kind, configmap.HeadSelector(head))
	if err != nil {
		return nil, s.Reader.Explain(ctx, "list", head.Kind.Resource(), err)
	}
	var all []Listed
	for i := range kept {
		if kept[i].Head != head {
			continue
		}
		found, err := s.Reader.Get(ctx, kept[i].Object)
		if err != nil {
			return nil, err
		}
		if _, is := found.Stored().Version(); is {
			all = append(all, Listed{Kept: kept[i], Content: found.Content})
		}
	}
	sortVersions(all)
	return all, nil
}

// sortVersions sorts versions by age, the oldest first. Creation times have full seconds only. Within one second the revisions
// that use them tell which is older, as far as they are known.
func sortVersions(all []Listed) {
	slices.SortFunc(all, func(a, b Listed) int {
		return cmp.Or(a.Meta.CreationTimestamp.Compare(b.Meta.CreationTimestamp.Time), cmp.Compare(a.revision, b.revision),
			cmp.Compare(a.Object.Name, b.Object.Name))
	})
}

// SameAge reports whether creation times do not tell which of two versions is older.
func SameAge(all []Listed) bool {
	for i := 1; i < len(all); i++ {
		if all[i].Meta.CreationTimestamp.Time.Equal(all[i-1].Meta.CreationTimestamp.Time) {
			return true
		}
	}
	return false
}

// LearnUsers finds out which revisions of which workloads use each version. It sorts the versions again by what it has learnt.
func (s *Session) LearnUsers(ctx context.Context, all []Listed) error {
	lists := []resourceList{
		typed("replicasets.apps", s.Engine.Client.AppsV1().ReplicaSets(s.Namespace).List),
		typed("controllerrevisions.apps", s.Engine.Client.AppsV1().ControllerRevisions(s.Namespace).List),
	}
	for _, l := range lists {
		var failure error
		err := s.Reader.each(ctx, l, func(object runtime.Object) {
			holder, is, err := holderOf(object)
			if err != nil {
				failure = err
			}
			user, revision := revisionUser(object)
			if !is || user == "" {
				return
			}
			for i := range all {
				switch {
				case holder.Needs(all[i].Object):
					all[i].Users = append(all[i].Users, user)
					all[i].revision = max(all[i].revision, revision)
				case holder.Leaves(&all[i].Kept):
					all[i].Leavers = append(all[i].Leavers, user)
				}
			}
		})
		if err == nil {
			err = failure
		}
		if err != nil {
			return err
		}
	}
	for i := range all {
		slices.Sort(all[i].Users)
		slices.Sort(all[i].Leavers)
	}
	sortVersions(all)
	return nil
}

// revisionUser returns the name of a workload's revision as people write it, and its number. The name is "" if the object is no
// revision.
func revisionUser(object runtime.Object) (string, int64) {
	switch o := object.(type) {
	case *appsv1.ReplicaSet:
		number := workload.RevisionOf(o)
		if owner := metav1.GetControllerOf(o); owner != nil {
			return revisionName(owner, number), number
		}
		return "replicaset/" + o.Name, number
	case *appsv1.ControllerRevision:
		if owner := metav1.GetControllerOf(o); owner != nil {
			return revisionName(owner, o.Revision), o.Revision
		}
	}
	return "", 0
}

func revisionName(owner *metav1.OwnerReference, number int64) string {
	return fmt.Sprintf("%s/%s:%d", strings.ToLower(owner.Kind), owner.Name, number)
}
