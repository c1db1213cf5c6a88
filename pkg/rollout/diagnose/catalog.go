package diagnose

import "time"

func imageCauses() []Cause {
	return []Cause{
		{ImageNotFound, EndsNow, 0, "The registry has answered that it has no such image or tag.", []string{setImage}},
		{
			ImagePlatformMissing, EndsNow, 0,
			"There is such an image, and not for the node's operating system and architecture.",
			[]string{"kubectl get nodes -L kubernetes.io/os,kubernetes.io/arch", setImage, edit},
		},
		{
			ImagePullDenied, EndsNow, 0,
			"The registry has refused the pull: credentials are missing or wrong, or there is no such repository, which many registries do not tell apart.",
			[]string{"kubectl get secrets -n {namespace} --field-selector type=kubernetes.io/dockerconfigjson", setImage},
		},
		{
			ImagePullFailed, EndsAfterGrace, 30 * time.Second,
			"The image cannot be pulled, for a reason that is not known here, or that may be chance.",
			[]string{describe},
		},
		{
			RegistryUnavailable, EndsAfterGrace, 30 * time.Second,
			"The registry cannot be reached, or does not answer as it should. One pull that fails may be chance: the kubelet tries again " +
				"after 10 s and 20 s; while it does, the grace is the progress deadline.",
			[]string{describe, setImage},
		},
		{InvalidImageName, EndsNow, 0, "The image's name cannot be one.", []string{setImage}},
		{ErrImageNeverPull, EndsNow, 0, "The image is not on the node, and imagePullPolicy is Never.", []string{setImage, edit}},
		{ImageInspectError, EndsAfterGrace, 30 * time.Second, "The node cannot read the image that it has.", []string{describe}},
		{SignatureValidationFailed, EndsNow, 0, "The image's signature is not accepted on the node.", []string{describe, setImage}},
	}
}

func crashCauses() []Cause {
	return []Cause{
		{CrashLoopBackOff, EndsNow, 0, "The container ends again and again. The exit code and the last log lines tell why.", []string{lastLogs}},
		{OOMKilled, EndsNow, 0, "The container takes more memory than its limit and is killed.", []string{edit, lastLogs}},
		{LivenessProbeFailed, EndsNow, 0, "The kubelet kills the container because its liveness probe fails.", []string{lastLogs, describe}},
		{
			StartupProbeFailed, EndsNow, 0,
			"The container is not up within the time that its startup probe gives it, and the kubelet kills it.",
			[]string{lastLogs, describe},
		},
		{
			InitContainerFailed, EndsNow, 0,
			"An init container ends with an error, again, so that the others are never started. Where it has done so in pods that are " +
				"ready now, there is a grace: the progress deadline; of a first version, where no pod has been ready yet, a quarter of it.",
			[]string{logs},
		},
		{
			InitContainerRunning, EndsAfterGrace, 0,
			"An init container has not ended yet, so that the others are not started. The grace is the progress deadline; where there is none, as " +
				"for a StatefulSet or DaemonSet, it only warns, after 60 s.",
			[]string{logs, describe},
		},
		{
			ContainerRestarted, Warns, 0,
			"The container has ended once, or after a run of 10 minutes at least, and is started again; or it has ended more often, and has " +
				"since run and been ready for twice as long as before (10 s to a minute). Another end soon makes it a crash loop.",
			[]string{lastLogs},
		},
		{
			RestartedByRule, EndsAfterGrace, 0,
			"The container has ended, and one of its restartPolicyRules names this exit code. The kubelet starts it again after a pause, and the " +
				"pod is not ready until then. That is no failure; the grace is the progress deadline.",
			[]string{lastLogs},
		},
		{
			ContainerEnded, EndsNow, 0,
			"The container has ended, and its restart policy does not start it again: the pod is never ready.",
			[]string{logs, edit},
		},
		{
			RestartedAfterReady, EndsNow, 0,
			"A container of a new pod restarted after the pod had been ready: it will do so again.",
			[]string{lastLogs},
		},
	}
}

func readinessCauses() []Cause {
	return []Cause{
		{
			ReadinessProbeFailed, EndsAfterGrace, 0,
			"The container runs and its readiness probe fails. The grace is what its probes themselves allow for, and at least 60 s; " +
				"twice as long as a pod took to become ready before, if that is longer; where none tells, and there is no startupProbe, " +
				"a quarter of the progress deadline (of 600 s where there is none). What lengthens it is a startupProbe, or " +
				"progressDeadlineSeconds above 600, which then is the grace.",
			[]string{describe, logs},
		},
		{
			ReadinessGateNotMet, EndsAfterGrace, 0,
			"All containers are ready, and a readiness gate of the pod is not met. The grace is the progress deadline, twice the longest " +
				"that another pod took to become ready, or 60 s, whichever is longest; it begins when the containers are ready.",
			[]string{describe},
		},
		{ReadinessLost, EndsNow, 0, "A new pod was ready and is not any more: during a hold once, else twice.", []string{describe, logs}},
		{
			NotReady, EndsAfterGrace, 0,
			"The containers run, and the pod is not ready for another reason than those above. The grace is 60 s; where a startup probe has not " +
				"succeeded yet, or a container has no readiness probe, it is what the probes and other pods tell, as for ReadinessProbeFailed.",
			[]string{describe},
		},
	}
}

func containerCauses() []Cause {
	// The kubelet looks again after 10 s to 15 s, and then finds objects that were created meanwhile.
	soon := 20 * time.Second
	return []Cause{
		{
			ConfigMapNotFound, EndsAfterGrace, soon,
			"A ConfigMap that the pod needs does not exist.",
			[]string{"kubectl get configmaps -n {namespace}", "kubectl create configmap {subject} -n {namespace} --from-file=FILE"},
		},
		{
			ConfigMapKeyNotFound, EndsAfterGrace, soon,
			"A ConfigMap lacks a key that the pod needs.",
			[]string{"kubectl describe configmap {subject} -n {namespace}"},
		},
		{SecretNotFound, EndsAfterGrace, soon, "A Secret that the pod needs does not exist.", []string{"kubectl get secrets -n {namespace}"}},
		{SecretKeyNotFound, EndsAfterGrace, soon, "A Secret lacks a key that the pod needs.", []string{"kubectl describe secret {subject} -n {namespace}"}},
		{CreateContainerConfigError, EndsAfterGrace, soon, "The container's configuration cannot be used.", []string{describe, edit}},
		{CreateContainerError, EndsAfterGrace, soon, "The container cannot be created.", []string{describe, edit}},
		{
			RunContainerError, EndsNow, 0,
			"The container cannot be started. Where the reason is not that its command does not exist or cannot be run, there is a grace of " +
				"30 s: it may be the node's.",
			[]string{describe, edit},
		},
		{PostStartHookError, EndsNow, 0, "The container's postStart hook fails again and again, so that it is killed.", []string{describe, edit}},
		{FailedPreStopHook, Warns, 0, "The container's preStop hook fails, so that it is ended without it.", []string{describe}},
	}
}

func volumeCauses() []Cause {
	return []Cause{
		{FailedMount, EndsAfterGrace, 90 * time.Second, "A volume cannot be mounted.", []string{describe}},
		{
			FailedAttachVolume, EndsAfterGrace, 2 * time.Minute,
			"A volume cannot be attached to the node, because another node has it, for example. The grace begins when old pods that are " +
				"ending should have ended.",
			[]string{describe, "kubectl get volumeattachments"},
		},
		{
			// The scheduler waits for 10 s at most before it looks at a pod again.
			PersistentVolumeClaimNotFound, EndsAfterGrace, 12 * time.Second,
			"A PersistentVolumeClaim that the pod needs does not exist.",
			[]string{"kubectl get persistentvolumeclaims -n {namespace}"},
		},
		{
			PersistentVolumeClaimUnbound, EndsAfterGrace, time.Minute,
			"A PersistentVolumeClaim that the pod needs has no volume yet. While a provisioner works on one, the grace is the progress " +
				"deadline, 10 minutes at least.",
			[]string{"kubectl describe persistentvolumeclaims -n {namespace}"},
		},
		{
			FailedCreatePodSandBox, EndsAfterGrace, time.Minute,
			"The node cannot make the pod's sandbox: its network or its runtime, for example.",
			[]string{describe},
		},
	}
}

func pendingCauses() []Cause {
	nodes := "kubectl describe nodes"
	return []Cause{
		{
			InsufficientResources, EndsAfterGrace, time.Minute,
			"No node has room for the pod. The grace begins when old pods that are ending have ended, and not while a new one is on its " +
				"way to ready that lets one go; where an autoscaler adds a node, or pods of a lower priority end for it, it is the progress deadline.",
			[]string{nodes, edit},
		},
		{
			NodesUnsuitable, EndsAfterGrace, time.Minute,
			"No node fits the pod's node selector, affinity, tolerations, spread or host ports.",
			[]string{describe, "kubectl get nodes --show-labels"},
		},
		{Unschedulable, EndsAfterGrace, time.Minute, "No node takes the pod, for several reasons or one that is not known here.", []string{describe, nodes}},
		{SchedulingGated, Warns, 0, "The pod has scheduling gates, which somebody has to take away.", []string{describe}},
		{
			NotScheduled, EndsAfterGrace, time.Minute,
			"No scheduler has looked at the pod.",
			[]string{"kubectl get pod {pod} -n {namespace} -o jsonpath={.spec.schedulerName}"},
		},
		{
			NodeNominated, EndsAfterGrace, recent,
			"The scheduler has chosen a node for the pod. Pods of a lower priority have to end there, or something that the pod needs has to be " +
				"ready. The grace is the progress deadline where that is longer.",
			[]string{describe},
		},
		{
			VolumeProvisioning, EndsAfterGrace, recent,
			"The scheduler has chosen a node for the pod, and a volume is being provided for it. The grace is the progress deadline where that is longer.",
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
			"A ResourceQuota leaves no room for further pods, no pod has become ready since, and none is ending, or on its way to ready while " +
				"old ones are left. One that asks for what the pods do not state refuses them at once.",
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
			"An admission webhook that has to be asked about the pod does not answer.",
			[]string{"kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations"},
		},
		{
			FailedCreate, EndsAfterGrace, refused,
			"Pods cannot be created, for a reason that is not known here.",
			[]string{"kubectl get events -n {namespace} --field-selector reason=FailedCreate"},
		},
		{
			FailedDelete, EndsAfterGrace, refused,
			"The controller cannot delete old pods, as an admission webhook or policy does not let it, for example.",
			[]string{describeIt, "kubectl get validatingwebhookconfigurations,validatingadmissionpolicybindings"},
		},
		{
			ReplicaSetCreateError, EndsAfterGrace, 10 * time.Second,
			"The Deployment controller cannot create the new ReplicaSet.",
			[]string{describeIt},
		},
		{
			HashCollision, EndsNow, 0,
			"An admission policy or webhook changes the ReplicaSets or ControllerRevisions that the controller creates. It does not find its own again, " +
				"counts that as a collision (status.collisionCount), and creates one after another. A stepwise rollout goes back, whatever --on-failure says.",
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
		{PodEvicted, Warns, 0, "A pod was evicted, preempted or lost with its node, and is replaced.", []string{describe}},
		{
			PodRejected, EndsAfterGrace, replacedGrace,
			"Nodes do not take the pods, three at least: each fails before its containers start, and another one is made. None has become " +
				"ready since. The message is the kubelet's.",
			[]string{"kubectl get events -n {namespace} --field-selector reason={subject}", "kubectl describe nodes", edit},
		},
		{
			PodEndsAgain, EndsAfterGrace, replacedGrace,
			"The pods end by themselves, three at least: their containers are not started again, or take more local storage than their limit. " +
				"None has become ready since.",
			[]string{"kubectl get pods -n {namespace}", edit},
		},
		{PodFailed, Warns, 0, "A node has refused or ended a pod, which is replaced.", []string{describe}},
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
			"A pod whose containers were ready is not, because its node does not report any more. A Deployment's is replaced where the node " +
				"stays silent; one that is to end does so only once the node reports again or is deleted.",
			[]string{"kubectl get nodes", describe},
		},
		{
			StaleRevisionBlocks, EndsAfterGrace, 30 * time.Second,
			"A pod of an older revision was never ready or does not come good, and an ordered StatefulSet goes no further until it is " +
				"ready: kubernetes issue 67250.",
			[]string{"kubectl delete pod {pod} -n {namespace}"},
		},
		{
			StaleRevisionUnready, Warns, 0,
			"A pod of an older revision was ready before and is not now; an ordered StatefulSet goes no further until it is again.",
			[]string{describe},
		},
		{
			StuckTerminating, Warns, 0,
			"A pod should have ended 30 s ago at least, and its node holds it up; or 5 s ago, and finalizers do.",
			[]string{"kubectl get pod {pod} -n {namespace} -o jsonpath={.metadata.finalizers}"},
		},
		{
			Paused, Warns, 0,
			"The Deployment is paused, and its pod template is not rolled out.",
			[]string{resume},
		},
		{
			RolloutOpen, Warns, 0,
			"A stepwise rollout is open. Where nobody drives it, it stands at its step; only that counts as in the way.",
			[]string{resume, "kubectl rollout-plus abort {workload} -n {namespace}"},
		},
		{
			OnDelete, Warns, 0,
			"Pods of an older template are replaced only as somebody deletes them.",
			[]string{"kubectl rollout-plus status {workload} -n {namespace}"},
		},
		{
			Undetermined, EndsAfterGrace, 2 * time.Minute,
			"The pod is in a state that is not known here; the evidence tells what there is. That it only does not go on is a warning: after 2 " +
				"minutes, or 10 where an image may be being pulled.",
			[]string{describe},
		},
	}
}
