package printers

import "github.com/rogpeppe/go-internal/diff"

// UnifiedDiff is the unified diff of two texts, empty where they are the same.
func UnifiedDiff(oldName, old, newName, new string) string {
	return string(diff.Diff(oldName, []byte(old), newName, []byte(new)))
}
