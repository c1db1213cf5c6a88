// Package history reads the revisions of a workload: which there are, who made them, and which one serves.
package history
