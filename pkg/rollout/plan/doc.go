// Package plan is about how a rollout proceeds: steps, limits and holds as they were asked for, and what they come to at a
// number of replicas. It is pure.
package plan
