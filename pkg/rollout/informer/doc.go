// Package informer keeps objects up to date by watches that survive lost connections, API servers that restart, and proxies
// that hold watch data back.
package informer
