// Package diagnose says why pods do not come good: it takes objects, events and the time, and gives findings. It is pure:
// what it is to look at is fetched by others.
package diagnose

//go:generate go run ../../../hack/causes -out ../../../docs/causes.md
