// Package restore gives ConfigMaps and Secrets back what a revision ran with, when a workload goes back to it.
package restore
