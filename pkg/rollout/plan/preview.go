package plan

// StepPreview is the outcome of a plan's step at a number of replicas.
type StepPreview struct {
	// Number counts from 1.
	Number int
	// As is the step as it was asked for, such as 25%.
	As string
	// New and Old are the numbers of pods of the new and the old version when the step is done.
	New, Old int32
	// MaxTotal and MinAvailable are the extremes that the step may reach on its way, provided that the old pods are ready.
	MaxTotal, MinAvailable int32
}
