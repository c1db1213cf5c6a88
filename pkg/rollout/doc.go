// Package rollout steps a plain Deployment through a rolling update with exact pod counts.
//
// The native Deployment controller keeps driving. While a rollout is open, minReadySeconds holds a value that no pod
// ever reaches, so that the controller settles at exactly maxUnavailable + maxSurge new pods and stands still; the
// engine moves those two fields, step by step, as new pods become ready. Everything that is needed to go on, to finish
// or to go back is kept in the cluster: in one annotation of the Deployment, its ReplicaSets and its pods.
//
// Gate, Steps, Limits, Assess and Decide are pure. Engine is the one loop that takes a snapshot, decides and acts.
package rollout
