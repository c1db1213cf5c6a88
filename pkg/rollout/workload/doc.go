// Package workload reads from Deployments, StatefulSets and DaemonSets what the three have in common: their kinds,
// counts, phases, pods and revisions. It is pure.
package workload
