// Package rollout drives stepwise rolling updates of Deployments, StatefulSets and DaemonSets with exact pod counts. It also
// follows and explains rollouts, and reads their history.
//
// The native controllers keep driving. While the rollout of a Deployment is open, its minReadySeconds holds a value that no pod
// ever reaches. So the controller settles at exactly maxUnavailable + maxSurge new pods and stands still. The engine moves
// those two fields, step by step, as new pods become ready. A StatefulSet is held by its partition. A DaemonSet gets the
// strategy OnDelete, and the engine deletes its pods in waves. Everything that is needed to go on, to finish or to go back is
// kept in the cluster: in one annotation of the workload, in its revisions and in its pods.
//
// Width, Steps and Limits are pure, and so are the gates and decide. Engine runs the loop that takes a snapshot, decides and
// acts.
package rollout
