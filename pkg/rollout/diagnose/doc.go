// Package diagnose explains why pods do not become ready. It takes objects, events and the time, and returns findings. It is
// pure: its callers fetch what it looks at.
package diagnose

//go:generate go run ../../../hack/causes -out ../../../docs/causes.md
