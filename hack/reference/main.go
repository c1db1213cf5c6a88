// Command reference writes docs/reference from the commands: a page for each, and README.md, which lists them.
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app"
)

func main() {
	out := flag.String("out", "docs/reference", "the folder to write; other pages in it are removed")
	flag.Parse()
	if err := write(*out, present()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// present returns the pages of the commands as they are now.
func present() map[string]string {
	process := app.Process{Out: io.Discard, ErrOut: io.Discard, LookupEnv: func(string) (string, bool) { return "", false }}
	return pagesOf(app.NewRootCommand(process, genericiooptions.NewTestIOStreamsDiscard()))
}

// write makes a folder contain exactly these pages.
func write(folder string, pages map[string]string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	existing, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		return err
	}
	for _, path := range existing {
		if _, found := pages[filepath.Base(path)]; !found {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(pages[name]), 0o644); err != nil {
			return err
		}
	}
	return nil
}
