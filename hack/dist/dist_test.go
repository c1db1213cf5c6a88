package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPackIsReproducible(t *testing.T) {
	files := []file{{"kubectl-x", 0o755, []byte("program")}, {"LICENSE", 0o644, []byte("text")}}
	when := time.Unix(1700000000, 0).UTC()
	for name, pack := range map[string]func([]file, time.Time) ([]byte, error){"tar.gz": packTarGz, "zip": packZip} {
		one, err := pack(files, when)
		if err != nil {
			t.Fatal(err)
		}
		two, err := pack(files, when)
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s: two packs of the same files differ (%v)", name, err)
		}
	}
}

func TestPackTarGzKeepsTheProgramExecutable(t *testing.T) {
	packed, err := packTarGz([]file{{"kubectl-x", 0o755, []byte("program")}}, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	header, err := tar.NewReader(zr).Next()
	if err != nil || header.Name != "kubectl-x" || header.Mode != 0o755 {
		t.Errorf("got %+v, %v", header, err)
	}
}

func TestManifestNamesEveryArchive(t *testing.T) {
	r := release{version: "v1.2.3", out: t.TempDir(), template: "../../krew-manifest.yaml", baseURL: "https://example.test"}
	err := r.manifest([]archive{
		{"linux", "amd64", "a.tar.gz", strings.Repeat("a", 64), "kubectl-rollout_plus"},
		{"windows", "arm64", "b.zip", strings.Repeat("b", 64), "kubectl-rollout_plus.exe"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(r.out, "rollout-plus.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"uri: https://example.test/v1.2.3/a.tar.gz", "bin: kubectl-rollout_plus.exe", "arch: arm64", "version: v1.2.3"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestABadVersionIsRefused(t *testing.T) {
	for _, version := range []string{"", "1.2.3", "v1.2", "v1.2.3 -X main.x=y"} {
		r := release{version: version, out: t.TempDir(), progress: io.Discard}
		if err := r.build(context.Background(), nil); err == nil {
			t.Errorf("%q: no error", version)
		}
	}
}
