package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"time"
)

type release struct {
	version, out, pkg, template, baseURL string
	progress                             io.Writer
}

// archive describes one platform's file for the manifest.
type archive struct {
	OS, Arch, Name, SHA256, Binary string
}

func (r release) build(ctx context.Context, platforms []string) error {
	if !regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`).MatchString(r.version) {
		return fmt.Errorf("version %q is not of the form v1.2.3", r.version)
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	license, err := os.ReadFile("LICENSE")
	if err != nil {
		return err
	}
	modified, err := sourceDate(ctx)
	if err != nil {
		return err
	}
	var archives []archive
	for _, platform := range platforms {
		start := time.Now()
		a, err := r.archive(ctx, platform, license, modified)
		if err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
		fmt.Fprintf(r.progress, "dist: %s (%s)\n", filepath.Join(r.out, a.Name), time.Since(start).Round(time.Second))
		archives = append(archives, a)
	}
	if err := r.checksums(archives); err != nil {
		return err
	}
	return r.manifest(archives)
}

func (r release) archive(ctx context.Context, platform string, license []byte, modified time.Time) (archive, error) {
	goos, arch, ok := strings.Cut(platform, "/")
	if !ok {
		return archive{}, fmt.Errorf("not of the form os/arch")
	}
	a := archive{OS: goos, Arch: arch, Binary: "kubectl-rollout_plus"}
	if goos == "windows" {
		a.Binary += ".exe"
	}
	program, err := r.compile(ctx, a)
	if err != nil {
		return a, err
	}
	files := []file{{a.Binary, 0o755, program}, {"LICENSE", 0o644, license}}
	a.Name = fmt.Sprintf("kubectl-rollout_plus_%s_%s_%s", r.version, goos, arch)
	var packed []byte
	if goos == "windows" {
		a.Name += ".zip"
		packed, err = packZip(files, modified)
	} else {
		a.Name += ".tar.gz"
		packed, err = packTarGz(files, modified)
	}
	if err != nil {
		return a, err
	}
	sum := sha256.Sum256(packed)
	a.SHA256 = hex.EncodeToString(sum[:])
	return a, os.WriteFile(filepath.Join(r.out, a.Name), packed, 0o644)
}

// compile returns the program for the archive's platform.
func (r release) compile(ctx context.Context, a archive) ([]byte, error) {
	dir, err := os.MkdirTemp("", "dist-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, a.Binary)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w -X main.version="+r.version, "-o", file, r.pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+a.OS, "GOARCH="+a.Arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return os.ReadFile(file)
}

func (r release) checksums(archives []archive) error {
	var sums bytes.Buffer
	for _, a := range archives {
		fmt.Fprintf(&sums, "%s  %s\n", a.SHA256, a.Name)
	}
	return os.WriteFile(filepath.Join(r.out, "checksums.txt"), sums.Bytes(), 0o644)
}

func (r release) manifest(archives []archive) error {
	t, err := template.ParseFiles(r.template)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	err = t.Option("missingkey=error").Execute(&out, map[string]any{
		"Version": r.version, "BaseURL": r.baseURL, "Archives": archives,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, "rollout-plus.yaml"), out.Bytes(), 0o644)
}

// sourceDate returns the date of every packed file. It is the date of the commit, so that the archives depend on nothing else.
func sourceDate(ctx context.Context) (time.Time, error) {
	seconds := os.Getenv("SOURCE_DATE_EPOCH")
	if seconds == "" {
		out, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%ct").Output()
		if err != nil {
			out = []byte("315532800") // 1980, the earliest date that a zip can hold, for sources without git
		}
		seconds = strings.TrimSpace(string(out))
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(n, 0).UTC(), nil
}
