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
		{
			PostStartHookError, EndsNow, 0, "The postStart hook of the container fails again and again, so that the container is killed.",
			[]string{describe, edit},
		},
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
