// Package store reads and writes ConfigMaps, Secrets and their versions in the cluster. It reads what runs pods there too, judges
// changes for them, claims versions for templates, and sweeps versions that nothing needs any more.
package store
