package preflight

import (
	"errors"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// updateStrategy describes what the strategy means for a rollout.
func updateStrategy(in *Input) Result {
	w := &in.Workload
	switch {
	case w.Strategy == OnDelete:
		return warn(UpdateStrategy, "OnDelete: pods are replaced only as somebody deletes them")
	case w.Strategy == Recreate:
		return warn(UpdateStrategy, "Recreate: all pods go before new ones come, and nothing serves meanwhile; restart and undo do that, start refuses")
	case w.Partition > 0 && w.Partition >= w.Replicas:
		return warn(UpdateStrategy, "partition %d: none of the %d pods is replaced", w.Partition, w.Replicas)
	case w.Partition > 0:
		return warn(UpdateStrategy, "partition %d: the first %d of %d pods keep their version", w.Partition, w.Partition, w.Replicas)
	}
	return ok(UpdateStrategy, "RollingUpdate")
}

// openRollout describes a rollout that is in the way of another one.
func openRollout(in *Input) Result {
	if open := in.Workload.Open; open != "" {
		return fail(OpenRollout, "%s, and no other begins before it has ended: resume goes on with it, abort goes back", open)
	}
	return warn(OpenRollout, "the present rollout has failed (%s): what comes next starts from there, and undo goes back", in.Workload.Failed)
}

// serviceName looks for the Service that gives the pods of a StatefulSet their names.
func serviceName(in *Input) Result {
	name := in.Workload.ServiceName
	if name == "" {
		return ok(ServiceName, "the StatefulSet names no Service")
	}
	if in.Services.Err != nil {
		return skip(ServiceName, in.Services.Err)
	}
	for i := range in.Services.Items {
		s := &in.Services.Items[i]
		switch {
		case s.Name != name:
		case s.Spec.ClusterIP != corev1.ClusterIPNone:
			return warn(ServiceName, "Service %s is not headless: pods have no DNS names of their own", name)
		case !labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(in.Workload.Template.Labels)):
			return warn(ServiceName, "Service %s does not select the pods: they have no DNS names of their own", name)
		default:
			return ok(ServiceName, "Service %s is headless and selects the pods", name)
		}
	}
	if in.Services.More {
		return skip(ServiceName, errors.New("not all Services were looked at"))
	}
	return warn(ServiceName, "Service %s does not exist: pods have no DNS names of their own", name)
}

// claimTemplates looks for the StorageClasses of new claims. Existing claims, and volumes made by hand, need none.
func claimTemplates(in *Input) Result {
	missing, unread := missingOf(in.Classes.Items)
	switch {
	case len(missing) > 0:
		return warn(ClaimTemplates, "no volume is made for a new claim: %s does not exist", strings.Join(missing, ", "))
	case unread != nil:
		return skip(ClaimTemplates, unread)
	}
	return ok(ClaimTemplates, "all %d StorageClasses that are named exist", len(in.Classes.Items))
}
