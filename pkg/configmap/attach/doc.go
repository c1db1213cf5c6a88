// Package attach puts references to ConfigMaps and Secrets into pod templates, pins them to versions, and takes them out. It is
// pure.
package attach
