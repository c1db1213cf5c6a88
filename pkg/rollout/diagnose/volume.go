package diagnose

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagehelpers "k8s.io/component-helpers/storage/volume"
)

// unscheduled describes a pod without a node on which the scheduler has set no condition. That is so until the scheduler has
// begun. It is so again between the choice of a node and the binding of the pod. Meanwhile volumes are provided, for up to 10
// minutes.
func (d *diagnosis) unscheduled(pod *corev1.Pod) signal {
	long := max(d.Deadline, recent)
	if claim := d.beingProvided(pod, storagehelpers.AnnSelectedNode); claim != nil {
		node := claim.Annotations[storagehelpers.AnnSelectedNode]
		return signal{
			id: VolumeProvisioning, message: "node " + node + " is chosen, and a volume is being provided for claim " + claim.Name,
			grace: long, why: "volumes are given time to be provided", subject: claim.Name, evidence: d.provisioning(claim),
		}
	}
	if node := pod.Status.NominatedNodeName; node != "" {
		return signal{
			id: NodeNominated, message: "node " + node + " is chosen, and the pod is not bound to it yet",
			grace: long, why: "pods of a lower priority are ending there, or something that the pod needs is being made ready",
		}
	}
	s := signal{id: NotScheduled, message: "no scheduler has looked at the pod", since: pod.CreationTimestamp.Time}
	if d.NoClaims && len(ClaimsOf(pod)) > 0 {
		s.message = "no scheduler has looked at the pod, or it waits for a volume"
		s.grace, s.why = long, "whether a volume is being provided its claims tell, which cannot be read"
	}
	return s
}

// provided gives time to a pod whose claim has a provisioner at work.
func (d *diagnosis) provided(pod *corev1.Pod, s *signal) {
	claim := d.beingProvided(pod, storagehelpers.AnnStorageProvisioner)
	switch {
	case claim != nil:
		s.evidence = append(s.evidence, d.provisioning(claim)...)
		s.grace, s.why = max(d.Deadline, recent), "a volume is being provided for claim "+claim.Name
	case d.NoClaims:
		s.grace, s.why = max(d.Deadline, recent), "whether a volume is being provided its claims tell, which cannot be read"
	}
}

// beingProvided returns a claim of the pod that has the annotation but no volume yet, or nil if there is none.
func (d *diagnosis) beingProvided(pod *corev1.Pod, annotation string) *corev1.PersistentVolumeClaim {
	names := ClaimsOf(pod)
	for _, claim := range d.Claims {
		if slices.Contains(names, claim.Name) && claim.Status.Phase != corev1.ClaimBound && claim.Annotations[annotation] != "" {
			return claim
		}
	}
	return nil
}

// provisioning names the component that is to provide a claim's volume, and its last report.
func (d *diagnosis) provisioning(claim *corev1.PersistentVolumeClaim) []string {
	var told []string
	if provisioner := claim.Annotations[storagehelpers.AnnStorageProvisioner]; provisioner != "" {
		told = append(told, "provisioner: "+provisioner)
	}
	if failed := newest(d.events[claim.UID], "ProvisioningFailed"); failed != nil {
		told = append(told, inWords(failed))
	}
	return told
}

// ClaimsOf returns the names of the PersistentVolumeClaims that a pod needs.
func ClaimsOf(pod *corev1.Pod) []string {
	var names []string
	for i := range pod.Spec.Volumes {
		switch v := &pod.Spec.Volumes[i]; {
		case v.PersistentVolumeClaim != nil:
			names = append(names, v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			names = append(names, pod.Name+"-"+v.Name)
		}
	}
	return names
}

// WaitsForVolume reports whether the claims of a pod may explain why it has no node.
func WaitsForVolume(pod *corev1.Pod) bool {
	if pod.Spec.NodeName != "" || pod.DeletionTimestamp != nil || len(ClaimsOf(pod)) == 0 {
		return false
	}
	scheduled := condition(pod, corev1.PodScheduled)
	return scheduled == nil || pendingCause(scheduled.Message) == PersistentVolumeClaimUnbound
}
