// Package kube reads what the typed client cannot give, tells failures that may pass from others, and pauses between
// tries. It decides nothing.
package kube
