package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"text/template"
)

//go:embed stages/*.yaml
var stages embed.FS

//go:embed manifests/node.yaml.tmpl
var nodeManifest string

//go:embed manifests/logs.yaml.tmpl
var logsManifest string

//go:embed manifests/container.log
var containerLog []byte

// populate installs the simulated behaviour of pods, and nodes for them to run on.
func (c *cluster) populate(ctx context.Context) error {
	crds := []string{"crd/stages.kwok.x-k8s.io", "crd/clusterlogs.kwok.x-k8s.io"}
	if err := c.kubectl(ctx, nil, append([]string{"wait", "--for=condition=Established", "--timeout=60s"}, crds...)...); err != nil {
		return err
	}
	manifests, err := c.manifests()
	if err != nil {
		return err
	}
	if err := c.kubectl(ctx, bytes.NewReader(manifests), "apply", "--server-side", "-f", "-"); err != nil {
		return err
	}
	if err := c.kubectl(ctx, nil, "wait", "--for=condition=Ready", "--timeout=60s", "nodes", "--all"); err != nil {
		return err
	}
	// No pod can be created in a namespace without its service account. The controller needs a moment to create it.
	if err := c.kubectl(ctx, nil, "wait", "--for=create", "--timeout=60s", "serviceaccount/default"); err != nil {
		return err
	}
	return os.WriteFile(c.marker(), nil, 0o644)
}

// manifests returns everything that populate applies, as one stream.
func (c *cluster) manifests() ([]byte, error) {
	var all bytes.Buffer
	files, err := fs.Glob(stages, "stages/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		data, err := stages.ReadFile(file)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&all, "---\n%s\n", data)
	}
	logFile := filepath.Join(c.state(), "container.log")
	if err := os.WriteFile(logFile, containerLog, 0o644); err != nil {
		return nil, err
	}
	if err := render(&all, logsManifest, map[string]string{"File": logFile}); err != nil {
		return nil, err
	}
	for i := range c.nodes {
		if err := render(&all, nodeManifest, map[string]string{"Index": strconv.Itoa(i)}); err != nil {
			return nil, err
		}
	}
	return all.Bytes(), nil
}

func render(out *bytes.Buffer, text string, data any) error {
	out.WriteString("---\n")
	return template.Must(template.New("manifest").Parse(text)).Execute(out, data)
}
