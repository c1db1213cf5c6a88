package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// TestPagesAreFresh fails where a table or a type has changed and its page has not.
func TestPagesAreFresh(t *testing.T) {
	t.Parallel()
	pages, err := pagesOf(root)
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for name, want := range pages {
		if got, err := os.ReadFile(filepath.Join(root, "docs", name)); err != nil || string(got) != want {
			t.Errorf("%s is out of date: run go generate ./... (%v)", name, err)
		}
	}
}

// TestSamplesHaveKnownFields looks for fields in the samples of docs/json.md that the types do not have.
func TestSamplesHaveKnownFields(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "json.md"))
	if err != nil {
		t.Fatal(err)
	}
	src, samples := &sources{root: root, packages: map[string]*declarations{}}, 0
	for _, block := range regexp.MustCompile("(?ms)^```json\n(.*?)^```$").FindAllSubmatch(text, -1) {
		for decoder := json.NewDecoder(bytes.NewReader(block[1])); ; samples++ {
			var sample map[string]any
			if err := decoder.Decode(&sample); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in\n%s", err, block[1])
			}
			kind := typeOf(sample)
			known, err := src.fieldsOf(kind)
			if err != nil {
				t.Fatal(err)
			}
			header, err := src.fieldsOf("header")
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(kind, "Event") {
				known = append(known, header...)
			}
			for _, name := range slices.Sorted(maps.Keys(sample)) {
				if !slices.ContainsFunc(known, func(f field) bool { return f.name == name }) {
					t.Errorf("a sample of %s has the field %s, which the type does not have", kind, name)
				}
			}
		}
	}
	if samples < 10 {
		t.Errorf("only %d samples", samples)
	}
}

// typeOf returns the name of the type that a sample is of.
func typeOf(sample map[string]any) string {
	if kind, is := sample["type"].(string); is {
		return kind + "Event"
	}
	for _, by := range []struct{ field, kind string }{
		{"severity", "finding"},
		{"conditions", "statusDocument"},
		{"inTheWay", "explainDocument"},
		{"failed", "checkDocument"},
		{"proposed", "Affected"},
		{"versions", "ConfigVersions"},
	} {
		if _, found := sample[by.field]; found {
			return by.kind
		}
	}
	return "unknown"
}
