// Package watch decides when to roll out edits of ConfigMaps and Secrets.
package watch
