package diagnose

import "time"

func pendingCauses() []Cause {
	nodes := "kubectl describe nodes"
	return []Cause{
		{
			InsufficientResources, EndsAfterGrace, time.Minute,
			"No node has room for the pod. The grace begins when old pods have ended, and when no new pod is about to replace an old one. " +
				"If an autoscaler adds a node, or pods of a lower priority end for this one, it is the progress deadline.",
			[]string{nodes, edit},
		},
		{
			NodesUnsuitable, EndsAfterGrace, time.Minute,
			"No node fits the pod's node selector, affinity, tolerations, spread or host ports.",
			[]string{describe, "kubectl get nodes --show-labels"},
		},
		{Unschedulable, EndsAfterGrace, time.Minute, "No node takes the pod, for several reasons or an unknown one.", []string{describe, nodes}},
		{SchedulingGated, Warns, 0, "The pod has scheduling gates, which somebody has to remove.", []string{describe}},
		{
			NotScheduled, EndsAfterGrace, time.Minute,
			"No scheduler has looked at the pod.",
			[]string{"kubectl get pod {pod} -n {namespace} -o jsonpath={.spec.schedulerName}"},
		},
		{
			NodeNominated, EndsAfterGrace, recent,
			"The scheduler has chosen a node for the pod. Pods of a lower priority have to end there first, or something that the pod " +
				"needs is not ready yet. The grace is the progress deadline if that is longer.",
			[]string{describe},
		},
		{
			VolumeProvisioning, EndsAfterGrace, recent,
			"The scheduler has chosen a node for the pod, and a volume is being provided for it. The grace is the progress deadline if " +
				"that is longer.",
			[]string{"kubectl describe persistentvolumeclaim {subject} -n {namespace}", describe},
		},
	}
}

func refusedCauses() []Cause {
	// A ReplicaSet's controller tries again at 10 s, 20 s and 41 s after the first time.
	const refused = 45 * time.Second
	return []Cause{
		{
			QuotaExceeded, EndsAfterGrace, refused,
			"A ResourceQuota leaves no room for further pods. No pod has become ready since, none is ending, and no new pod is about to " +
				"replace an old one. A quota on something that the pods do not state refuses them at once.",
			[]string{"kubectl describe resourcequota -n {namespace}"},
		},
		{LimitRangeViolated, EndsNow, 0, "A LimitRange does not allow such a pod.", []string{"kubectl describe limitrange -n {namespace}", edit}},
		{
			PodSecurityViolated, EndsNow, 0,
			"The namespace's pod security standard does not allow such a pod.",
			[]string{"kubectl get namespace {namespace} --show-labels", edit},
		},
		{
			ServiceAccountNotFound, EndsAfterGrace, 15 * time.Second,
			"The pod's ServiceAccount does not exist.",
			[]string{"kubectl create serviceaccount {subject} -n {namespace}"},
		},
		{
			PriorityClassNotFound, EndsAfterGrace, 15 * time.Second,
			"The pod's PriorityClass does not exist.",
			[]string{"kubectl get priorityclasses", edit},
		},
		{AdmissionDenied, EndsNow, 0, "An admission webhook or policy has refused the pod.", []string{edit}},
		{
			AdmissionUnavailable, EndsAfterGrace, refused,
			"An admission webhook that must be asked about the pod does not answer.",
			[]string{"kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations"},
		},
		{
			FailedCreate, EndsAfterGrace, refused,
			"Pods cannot be created, for an unknown reason.",
			[]string{"kubectl get events -n {namespace} --field-selector reason=FailedCreate"},
		},
		{
			FailedDelete, EndsAfterGrace, refused,
			"The controller cannot delete old pods, for example because an admission webhook or policy refuses it.",
			[]string{describeIt, "kubectl get validatingwebhookconfigurations,validatingadmissionpolicybindings"},
		},
		{
			ReplicaSetCreateError, EndsAfterGrace, 10 * time.Second,
			"The Deployment controller cannot create the new ReplicaSet.",
			[]string{describeIt},
		},
		{
			HashCollision, EndsNow, 0,
			"An admission policy or webhook changes the ReplicaSets or ControllerRevisions that the controller creates. The controller " +
				"does not recognize them, counts a collision (status.collisionCount), and creates one after another. A stepwise rollout goes " +
				"back, whatever --on-failure says.",
			[]string{"kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations"},
		},
		{
			ControllerSilent, Warns, 0,
			"The workload's controller has not acted on the last change for 5 s (status.observedGeneration). The controller manager may not run.",
			[]string{"kubectl get leases -n kube-system kube-controller-manager", "kubectl get pods -n kube-system -l component=kube-controller-manager"},
		},
	}
}

// replacedGrace is the grace for pods that end again and again and are replaced.
const replacedGrace = 20 * time.Second

func endedCauses() []Cause {
	return []Cause{
		{PodEvicted, Warns, 0, "A pod was evicted, preempted or lost with its node. The controller replaces it.", []string{describe}},
		{
			PodRejected, EndsAfterGrace, replacedGrace,
			"Nodes refuse the pods. Three or more have failed before their containers started, and the controller made others. None has " +
				"become ready since. The message is the kubelet's.",
			[]string{"kubectl get events -n {namespace} --field-selector reason={subject}", "kubectl describe nodes", edit},
		},
		{
			PodEndsAgain, EndsAfterGrace, replacedGrace,
			"Three or more pods have ended by themselves, and none has become ready since. Their containers are not started again, or use " +
				"more local storage than their limit.",
			[]string{"kubectl get pods -n {namespace}", edit},
		},
		{PodFailed, Warns, 0, "A node has refused or ended a pod. The controller replaces it.", []string{describe}},
	}
}

func otherCauses() []Cause {
	return []Cause{
		{
			ProgressDeadlineExceeded, EndsNow, 0,
			"No further pod became ready within progressDeadlineSeconds.",
			[]string{undo},
		},
		{
			NodeNotReady, Warns, 0,
			"The containers of a pod were ready, but its node does not report any more. A pod of a Deployment is replaced if the node " +
				"stays silent. A pod that is being deleted ends only once the node reports again or is deleted.",
			[]string{"kubectl get nodes", describe},
		},
		{
			StaleRevisionBlocks, EndsAfterGrace, 30 * time.Second,
			"A pod of an older revision was never ready, or will not become ready. An ordered StatefulSet waits for it before it goes on: " +
				"kubernetes issue 67250.",
			[]string{"kubectl delete pod {pod} -n {namespace}"},
		},
		{
			StaleRevisionUnready, Warns, 0,
			"A pod of an older revision was ready before and is not ready now. An ordered StatefulSet waits for it before it goes on.",
			[]string{describe},
		},
		{
			StuckTerminating, Warns, 0,
			"A pod should have ended. Its node has held it up for 30 s, or finalizers have for 5 s.",
			[]string{"kubectl get pod {pod} -n {namespace} -o jsonpath={.metadata.finalizers}"},
		},
		{
			Paused, Warns, 0,
			"The Deployment is paused, and its pod template is not rolled out.",
			[]string{resume},
		},
		{
			RolloutOpen, Warns, 0,
			"A stepwise rollout is open. It stands in the way only if nobody drives it, so that it stays at its step.",
			[]string{resume, "kubectl rollout-plus abort {workload} -n {namespace}"},
		},
		{
			OnDelete, Warns, 0,
			"The controller replaces old pods only when somebody deletes them.",
			[]string{followIt},
		},
		{
			Undetermined, EndsAfterGrace, 2 * time.Minute,
			"The pod is in an unknown state; see the evidence. If it merely makes no progress, that is a warning after 2 minutes. It is " +
				"one after 10 minutes if an image may be on its way.",
			[]string{describe},
		},
	}
}
