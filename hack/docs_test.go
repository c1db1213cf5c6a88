// Package hack checks the documents.
package hack

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mostReadme is the largest size of README.md in bytes. Its reader has never seen the project before.
const mostReadme = 7 * 1024

var (
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$")
	coded   = regexp.MustCompile("`[^`\n]*`")
	linked  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// document is a Markdown file: the targets of its links, and the anchors of its headings.
type document struct {
	links   []string
	anchors map[string]bool
}

// TestDocuments follows every link between documents, to a file and to a heading in it.
func TestDocuments(t *testing.T) {
	t.Parallel()
	documents := readDocuments(t, "..")
	if len(documents) < 20 {
		t.Fatalf("only %d documents found", len(documents))
	}
	for path, d := range documents {
		for _, link := range d.links {
			if strings.Contains(link, "://") {
				continue
			}
			file, anchor, _ := strings.Cut(link, "#")
			target := filepath.Join(filepath.Dir(path), file)
			if file == "" {
				target = path
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", path, link)
				continue
			}
			if other, is := documents[target]; anchor != "" && (!is || !other.anchors[anchor]) {
				t.Errorf("%s links to %s, which has no such heading", path, link)
			}
		}
	}
}

func TestReadmeIsShort(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil || len(text) > mostReadme {
		t.Errorf("README.md has %d bytes, more than %d: move details to docs/ (%v)", len(text), mostReadme, err)
	}
	for _, command := range []string{"make demo", "make test"} {
		if !strings.Contains(string(text), command) {
			t.Errorf("README.md does not name %q", command)
		}
	}
}

// TestJSONIsDocumented looks for every field that the printers write.
func TestJSONIsDocumented(t *testing.T) {
	t.Parallel()
	text := read(t, "../docs/json.md")
	sources, err := filepath.Glob("../pkg/printers/*.go")
	if err != nil || len(sources) < 10 {
		t.Fatalf("%d sources, %v", len(sources), err)
	}
	tag := regexp.MustCompile(`json:"([a-zA-Z]+)`)
	for _, path := range sources {
		for _, match := range tag.FindAllStringSubmatch(read(t, path), -1) {
			if name := match[1]; !strings.Contains(text, "`"+name+"`") {
				t.Errorf("docs/json.md does not name the field %s of %s", name, path)
			}
		}
	}
}

// TestPackagesAreDescribed looks for every package in the table of docs/architecture.md.
func TestPackagesAreDescribed(t *testing.T) {
	t.Parallel()
	text := read(t, "../docs/architecture.md")
	for _, root := range []string{"cmd", "pkg"} {
		err := fs.WalkDir(os.DirFS(".."), root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil || !entry.IsDir():
				return err
			case entry.Name() == "testdata":
				return fs.SkipDir
			}
			sources, err := filepath.Glob(filepath.Join("..", path, "*.go"))
			if len(sources) > 0 && !strings.Contains(text, "| `"+path+"` |") {
				t.Errorf("docs/architecture.md does not describe the package %s", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readDocuments(t *testing.T, root string) map[string]document {
	t.Helper()
	documents := map[string]document{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		documents[path] = parse(string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return documents
}

func parse(text string) document {
	text = fenced.ReplaceAllString(text, "")
	d := document{anchors: map[string]bool{}}
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		d.anchors[anchorOf(match[1])] = true
	}
	for _, match := range linked.FindAllStringSubmatch(coded.ReplaceAllString(text, ""), -1) {
		d.links = append(d.links, match[1])
	}
	return d
}

// anchorOf returns the anchor that GitHub gives to a heading.
func anchorOf(title string) string {
	return strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(title), ""), " ", "-")
}
