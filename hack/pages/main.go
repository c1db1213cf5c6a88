// Command pages writes the pages of docs that say what the code's own tables and types say. Each is a template with the prose.
package main

import (
	"embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed *.md.tmpl
var templates embed.FS

func main() {
	root := flag.String("root", ".", "the folder of the repository")
	flag.Parse()
	if err := write(*root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write writes all pages below docs.
func write(root string) error {
	pages, err := pagesOf(root)
	if err != nil {
		return err
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(root, "docs", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// pagesOf returns the text of each page by its file name.
func pagesOf(root string) (map[string]string, error) {
	src := &sources{root: root, packages: map[string]*declarations{}}
	parsed, err := template.New("").Funcs(template.FuncMap{
		"exitCodes": exitCodes,
		"role":      role,
		"outcomes":  src.outcomes,
		"constants": src.constants,
		"fields":    src.fields,
	}).ParseFS(templates, "*.md.tmpl")
	if err != nil {
		return nil, err
	}
	pages := map[string]string{}
	for _, page := range parsed.Templates() {
		name, is := strings.CutSuffix(page.Name(), ".tmpl")
		if !is {
			continue
		}
		var b strings.Builder
		if err := page.Execute(&b, nil); err != nil {
			return nil, err
		}
		pages[name] = b.String()
	}
	return pages, nil
}
