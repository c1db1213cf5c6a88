package diagnose

import "time"

// Class is the effect of a cause on a rollout.
type Class string

// The classes.
const (
	// EndsNow causes do not go away by themselves.
	EndsNow Class = "fatal"
	// EndsAfterGrace causes may still go away by themselves during their grace.
	EndsAfterGrace Class = "fatal after a grace"
	// Warns causes do not end a rollout by themselves.
	Warns Class = "warning"
)

// The IDs of the causes. Scripts rely on them. If Kubernetes has a word for exactly this cause, the ID is that word.
const (
	ImageNotFound             = "ImageNotFound"
	ImagePlatformMissing      = "ImagePlatformMissing"
	ImagePullDenied           = "ImagePullDenied"
	ImagePullFailed           = "ImagePullFailed"
	RegistryUnavailable       = "RegistryUnavailable"
	InvalidImageName          = "InvalidImageName"
	ErrImageNeverPull         = "ErrImageNeverPull"
	ImageInspectError         = "ImageInspectError"
	SignatureValidationFailed = "SignatureValidationFailed"

	CrashLoopBackOff     = "CrashLoopBackOff"
	OOMKilled            = "OOMKilled"
	LivenessProbeFailed  = "LivenessProbeFailed"
	StartupProbeFailed   = "StartupProbeFailed"
	InitContainerFailed  = "InitContainerFailed"
	InitContainerRunning = "InitContainerRunning"
	ContainerRestarted   = "ContainerRestarted"
	RestartedByRule      = "RestartedByRule"
	ContainerEnded       = "ContainerEnded"
	RestartedAfterReady  = "RestartedAfterReady"

	ReadinessProbeFailed = "ReadinessProbeFailed"
	ReadinessGateNotMet  = "ReadinessGateNotMet"
	ReadinessLost        = "ReadinessLost"
	NotReady             = "NotReady"

	ConfigMapNotFound          = "ConfigMapNotFound"
	ConfigMapKeyNotFound       = "ConfigMapKeyNotFound"
	SecretNotFound             = "SecretNotFound"
	SecretKeyNotFound          = "SecretKeyNotFound"
	CreateContainerConfigError = "CreateContainerConfigError"
	CreateContainerError       = "CreateContainerError"
	RunContainerError          = "RunContainerError"
	PostStartHookError         = "PostStartHookError"
	FailedPreStopHook          = "FailedPreStopHook"

	FailedMount                   = "FailedMount"
	FailedAttachVolume            = "FailedAttachVolume"
	PersistentVolumeClaimNotFound = "PersistentVolumeClaimNotFound"
	PersistentVolumeClaimUnbound  = "PersistentVolumeClaimUnbound"
	FailedCreatePodSandBox        = "FailedCreatePodSandBox"

	InsufficientResources = "InsufficientResources"
	NodesUnsuitable       = "NodesUnsuitable"
	Unschedulable         = "Unschedulable"
	SchedulingGated       = "SchedulingGated"
	NotScheduled          = "NotScheduled"
	NodeNominated         = "NodeNominated"
	VolumeProvisioning    = "VolumeProvisioning"

	QuotaExceeded          = "QuotaExceeded"
	LimitRangeViolated     = "LimitRangeViolated"
	PodSecurityViolated    = "PodSecurityViolated"
	ServiceAccountNotFound = "ServiceAccountNotFound"
	PriorityClassNotFound  = "PriorityClassNotFound"
	AdmissionDenied        = "AdmissionDenied"
	AdmissionUnavailable   = "AdmissionUnavailable"
	FailedCreate           = "FailedCreate"
	FailedDelete           = "FailedDelete"
	ReplicaSetCreateError  = "ReplicaSetCreateError"
	HashCollision          = "HashCollision"
	ControllerSilent       = "ControllerSilent"

	ProgressDeadlineExceeded = "ProgressDeadlineExceeded"
	PodEvicted               = "PodEvicted"
	PodFailed                = "PodFailed"
	PodRejected              = "PodRejected"
	PodEndsAgain             = "PodEndsAgain"
	NodeNotReady             = "NodeNotReady"
	StaleRevisionBlocks      = "StaleRevisionBlocks"
	StaleRevisionUnready     = "StaleRevisionUnready"
	StuckTerminating         = "StuckTerminating"
	Paused                   = "Paused"
	RolloutOpen              = "RolloutOpen"
	OnDelete                 = "OnDelete"
	Undetermined             = "Undetermined"
)

// Cause is an entry of the catalog.
type Cause struct {
	ID    string
	Class Class
	// Grace is 0 if it is computed from the objects.
	Grace   time.Duration
	Meaning string
	// Remedy lists what to run next. {pod}, {container}, {namespace}, {workload} and {subject} are placeholders.
	Remedy []string
}

// Causes returns the whole catalog.
func Causes() []Cause {
	var all []Cause
	for _, part := range [][]Cause{
		imageCauses(), crashCauses(), readinessCauses(), containerCauses(), volumeCauses(), pendingCauses(), refusedCauses(), endedCauses(), otherCauses(),
	} {
		all = append(all, part...)
	}
	return all
}
