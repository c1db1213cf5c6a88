package restore

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// unshared returns an error for a head that other workloads use. In lenient mode it leaves such heads out and prints that.
func (r *Restoration) unshared(ctx context.Context, planned []giving) ([]giving, error) {
	workloads, err := r.Reader.Workloads(ctx)
	switch {
	case err != nil && r.Lenient:
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("nothing was written: whether others use %s cannot be told: %w; %s", planned[0].kept.Head, err, r.advice.Shared)
	}
	var own []giving
	for i := range planned {
		kept := &planned[i].kept
		other := r.sharer(workloads, &planned[i])
		switch {
		case other == "":
			own = append(own, planned[i])
		case r.Lenient:
			r.Emit.Note("%s stays as it is, since %s uses it too; %s shows its versions", kept.Head, other,
				command.Quoted("%s config history %s -n %s", command.Plugin, kept.Head, r.Namespace))
		default:
			return nil, fmt.Errorf("nothing was written: going back would change %s, which %s uses too; %s", kept.Head, other, r.advice.Shared)
		}
	}
	return own, nil
}

// sharer names another workload that needs different content in the head, or "". In lenient mode, users of the head's own
// name count only if they would see the change: the returning pods may need their old content.
func (r *Restoration) sharer(workloads []impact.Workload, give *giving) string {
	kept := &give.kept
	for i := range workloads {
		w := &workloads[i]
		name := strings.ToLower(w.Kind) + "/" + w.Name
		if w.Finished || name == workload.NameOf(r.Of) || r.GoingBack[name] {
			continue
		}
		holder := configmap.NewHolder(metav1.OwnerReference{}, true,
			&corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Annotations: w.Annotations}, Spec: *w.Spec})
		other := holder.Needs(kept.Head) && w.Annotations[configmap.RecordKey(kept.Head)] != kept.Object.Name
		if other && (!r.Lenient || !give.unseen(w.Spec)) {
			return name
		}
		if r.Lenient && give.plain {
			continue // a workload that references a version keeps running with it
		}
		for object, other := range r.kept {
			if other.Head == kept.Head && object != kept.Object && holder.Needs(object) {
				return name
			}
		}
	}
	return ""
}

// unseen reports whether no container of a pod sees the head's new content.
func (g *giving) unseen(spec *corev1.PodSpec) bool {
	change := &impact.Change{Object: g.kept.Head, Old: g.now.Content, New: g.version}
	return change.Judge(spec).Verdict == impact.None
}
