// Package attach puts references to ConfigMaps and Secrets into pod templates, renames them and takes them out. It is pure.
package attach
