package diagnose

import "time"

func imageCauses() []Cause {
	return []Cause{
		{ImageNotFound, EndsNow, 0, "The registry has answered that it has no such image or tag.", []string{setImage}},
		{
			ImagePlatformMissing, EndsNow, 0,
			"The image exists, but not for the operating system and architecture of the node.",
			[]string{"kubectl get nodes -L kubernetes.io/os,kubernetes.io/arch", setImage, edit},
		},
		{
			ImagePullDenied, EndsNow, 0,
			"The registry has refused the pull. Credentials are missing or wrong, or the repository does not exist: many registries give " +
				"the same answer.",
			[]string{"kubectl get secrets -n {namespace} --field-selector type=kubernetes.io/dockerconfigjson", setImage},
		},
		{
			ImagePullFailed, EndsAfterGrace, 30 * time.Second,
			"The image cannot be pulled. The reason is unknown, or may be chance.",
			[]string{describe},
		},
		{
			RegistryUnavailable, EndsAfterGrace, 30 * time.Second,
			"The registry cannot be reached, or gives a wrong answer. One failed pull may be chance: the kubelet tries again after 10 s " +
				"and 20 s. While it does, the grace is the progress deadline.",
			[]string{describe, setImage},
		},
		{InvalidImageName, EndsNow, 0, "The name of the image is not valid.", []string{setImage}},
		{ErrImageNeverPull, EndsNow, 0, "The image is not on the node, and imagePullPolicy is Never.", []string{setImage, edit}},
		{ImageInspectError, EndsAfterGrace, 30 * time.Second, "The node cannot read the image that it has.", []string{describe}},
		{SignatureValidationFailed, EndsNow, 0, "The image's signature is not accepted on the node.", []string{describe, setImage}},
	}
}

func crashCauses() []Cause {
	return []Cause{
		{CrashLoopBackOff, EndsNow, 0, "The container ends again and again. The exit code and the last log lines show why.", []string{lastLogs}},
		{OOMKilled, EndsNow, 0, "The container takes more memory than its limit and is killed.", []string{edit, lastLogs}},
		{LivenessProbeFailed, EndsNow, 0, "The kubelet kills the container because its liveness probe fails.", []string{lastLogs, describe}},
		{
			StartupProbeFailed, EndsNow, 0,
			"The startup probe gives the container some time to start, and that time has passed. The kubelet kills the container.",
			[]string{lastLogs, describe},
		},
		{
			InitContainerFailed, EndsNow, 0,
			"An init container ends with an error again, so that the other containers never start. If the same happened in pods that are " +
				"ready now, the grace is the progress deadline. If no pod has ever been ready, it is a quarter of that.",
			[]string{logs},
		},
		{
			InitContainerRunning, EndsAfterGrace, 0,
			"An init container still runs, so that the other containers have not started. The grace is the progress deadline. A " +
				"StatefulSet or DaemonSet has none: there it is only a warning, after 60 s.",
			[]string{logs, describe},
		},
		{
			ContainerRestarted, Warns, 0,
			"The container has ended and is started again. This was its first end, or it had run for 10 minutes. Or it has ended more " +
				"often, and has been ready since for twice as long as before (10 s to a minute). Another end soon makes it a crash loop.",
			[]string{lastLogs},
		},
		{
			RestartedByRule, EndsAfterGrace, 0,
			"The container has ended, and one of its restartPolicyRules names the exit code. The kubelet starts it again after a pause, " +
				"and the pod is not ready until then. That is no failure. The grace is the progress deadline.",
			[]string{lastLogs},
		},
		{
			ContainerEnded, EndsNow, 0,
			"The container has ended, and its restart policy does not start it again. The pod never becomes ready.",
			[]string{logs, edit},
		},
		{
			RestartedAfterReady, EndsNow, 0,
			"A container of a new pod restarted after the pod had been ready. It will do so again.",
			[]string{lastLogs},
		},
	}
}

func readinessCauses() []Cause {
	return []Cause{
		{
			ReadinessProbeFailed, EndsAfterGrace, 0,
			"The container runs, but its readiness probe fails. The grace is the longest of three: the time that its own probes allow, 60 " +
				"s, and twice as long as another pod took. If no pod shows a time and there is no startup probe, it is a quarter of the " +
				"progress deadline (600 s without one). A startup probe makes it longer. A progress deadline above 600 s is itself the grace.",
			[]string{describe, logs},
		},
		{
			ReadinessGateNotMet, EndsAfterGrace, 0,
			"All containers are ready, but a readiness gate of the pod is not met. The grace begins when the containers are ready. It is " +
				"the longest of the progress deadline, 60 s, and twice as long as another pod took.",
			[]string{describe},
		},
		{ReadinessLost, EndsNow, 0, "A new pod was ready and is not ready any more: once during a hold, otherwise twice.", []string{describe, logs}},
		{
			NotReady, EndsAfterGrace, 0,
			"The containers run, but the pod is not ready, for another reason than those above. The grace is 60 s. With a pending startup " +
				"probe, or a container without a readiness probe, it is that of ReadinessProbeFailed.",
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
			"The container cannot be started. The grace is 30 s, since the node may be the reason. There is no grace if the command does " +
				"not exist or cannot be run.",
			[]string{describe, edit},
		},
		{PostStartHookError, EndsNow, 0, "The postStart hook of the container fails again and again, so that the container is killed.", []string{describe, edit}},
		{FailedPreStopHook, Warns, 0, "The preStop hook of the container fails, so that the container is ended without it.", []string{describe}},
	}
}

func volumeCauses() []Cause {
	return []Cause{
		{FailedMount, EndsAfterGrace, 90 * time.Second, "A volume cannot be mounted.", []string{describe}},
		{
			FailedAttachVolume, EndsAfterGrace, 2 * time.Minute,
			"A volume cannot be attached to the node, for example because another node has it. The grace begins when old pods should have " +
				"ended.",
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
				"deadline, and 10 minutes at least.",
			[]string{"kubectl describe persistentvolumeclaims -n {namespace}"},
		},
		{
			FailedCreatePodSandBox, EndsAfterGrace, time.Minute,
			"The node cannot make the sandbox of the pod, for example because of its network or its runtime.",
			[]string{describe},
		},
	}
}

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
			[]string{"kubectl rollout-plus status {workload} -n {namespace}"},
		},
		{
			Undetermined, EndsAfterGrace, 2 * time.Minute,
			"The pod is in an unknown state; see the evidence. If it merely makes no progress, that is a warning after 2 minutes. It is " +
				"one after 10 minutes if an image may be on its way.",
			[]string{describe},
		},
	}
}
