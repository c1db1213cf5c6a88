package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// source is a module that programs are built from.
type source struct {
	// kubernetes is the version that the programs report.
	kubernetes string
	mod, sum   string
}

// sources are the modules of a cluster: the one that this program pins, and the one for the chosen Kubernetes version.
type sources struct{ pinned, release source }

// sources returns the modules that the cluster's programs are built from.
func (c *cluster) sources(ctx context.Context) (sources, error) {
	version, err := kubernetesVersion(goMod)
	if err != nil {
		return sources{}, err
	}
	pinned := source{kubernetes: version, mod: goMod, sum: goSum}
	if c.kubernetes == version {
		return sources{pinned: pinned, release: pinned}, nil
	}
	mod, err := releaseModule(ctx, c.kubernetes)
	return sources{pinned: pinned, release: source{kubernetes: c.kubernetes, mod: mod}}, err
}

// of returns the module that a program is built from. Only the control plane has the chosen version. etcd, kwok and kubectl are
// always the pinned ones.
func (s sources) of(t tool) source {
	if t.release {
		return s.release
	}
	return s.pinned
}

// write lays out the module in a folder below dir, for go build to run in, and returns that folder.
func (s source) write(dir string) (string, error) {
	dir = filepath.Join(dir, s.kubernetes)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if s.sum == "" {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil // go build has completed the file
		}
		return dir, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(s.mod), 0o644)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), []byte(s.sum), 0o644); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(s.mod), 0o644)
}

// mode returns go build's -mod. For modules that are not pinned here, the requirements of the release itself apply, and Go's
// checksum database checks them.
func (s source) mode() string {
	if s.sum == "" {
		return "mod"
	}
	return "readonly"
}

func (s source) flags(t tool) string {
	if t.kubernetes {
		return ldflags(s.kubernetes)
	}
	return "-s -w"
}

// key returns a key that changes whenever a build of the tool could give another result.
func (s source) key(t tool) string {
	sum := sha256.New()
	for _, part := range []string{s.mod, s.sum, t.name, t.pkg, s.flags(t), runtime.Version(), runtime.GOOS, runtime.GOARCH} {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// releaseModule returns the go.mod for building a Kubernetes release from its published modules.
func releaseModule(ctx context.Context, version string) (string, error) {
	var download struct{ GoMod, Error string }
	if err := goJSON(ctx, &download, "mod", "download", "-json", "k8s.io/kubernetes@"+version); err != nil {
		return "", errors.Join(fmt.Errorf("cannot get Kubernetes %s: %s", version, download.Error), err)
	}
	var file moduleFile
	if err := goJSON(ctx, &file, "mod", "edit", "-json", download.GoMod); err != nil {
		return "", err
	}
	return file.release(version), nil
}

// moduleFile is a go.mod, as `go mod edit -json` prints it.
type moduleFile struct {
	Go      string
	Godebug []struct{ Key, Value string }
	Replace []struct {
		Old struct{ Path string }
		New struct{ Path string }
	}
}

// release returns a go.mod that requires a release. It replaces the staging folders by the modules published with the release,
// since the release itself requires those at v0.0.0.
func (f *moduleFile) release(version string) string {
	var mod strings.Builder
	fmt.Fprintf(&mod, "module cluster\n\ngo %s\n\n", f.Go)
	for _, setting := range f.Godebug {
		fmt.Fprintf(&mod, "godebug %s=%s\n", setting.Key, setting.Value)
	}
	fmt.Fprintf(&mod, "require k8s.io/kubernetes %s\n", version)
	published := "v0." + strings.TrimPrefix(version, "v1.")
	for _, replace := range f.Replace {
		if strings.HasPrefix(replace.New.Path, "./staging/") {
			fmt.Fprintf(&mod, "replace %s => %s %s\n", replace.Old.Path, replace.Old.Path, published)
		}
	}
	return mod.String()
}

// goJSON runs go outside any module. It decodes the output even if the command fails.
func goJSON(ctx context.Context, into any, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "PWD="+cmd.Dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	if len(out) == 0 {
		return err
	}
	return errors.Join(err, json.Unmarshal(out, into))
}
