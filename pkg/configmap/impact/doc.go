// Package impact computes what containers see of a change of a ConfigMap or Secret, and which workloads have to be restarted
// for it. It renders pod templates by the kubelet's rules. It is pure.
package impact
