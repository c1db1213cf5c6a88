package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestReferenceIsFresh fails where a command or a flag has changed and its page has not.
func TestReferenceIsFresh(t *testing.T) {
	t.Parallel()
	const folder = "../../docs/reference"
	pages := present()
	for name, want := range pages {
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(got) != want {
			t.Errorf("%s is out of date: run go generate ./... (%v)", name, err)
		}
	}
	written, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil || len(written) != len(pages) {
		t.Errorf("there are %d pages, not %d: run go generate ./... (%v)", len(written), len(pages), err)
	}
}
