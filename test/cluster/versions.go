package main

import (
	_ "embed"
	"errors"
	"regexp"
	"strings"
)

// The program embeds its module files. It builds the pinned versions wherever it runs.
var (
	//go:embed go.mod
	goMod string
	//go:embed go.sum
	goSum string
)

// kubernetesVersion reads the required Kubernetes version from go.mod. All other versions follow from it.
func kubernetesVersion(mod string) (string, error) {
	m := regexp.MustCompile(`(?m)^\s*k8s\.io/kubernetes (v\d+\.\d+\.\d+\S*)`).FindStringSubmatch(mod)
	if m == nil {
		return "", errors.New("go.mod requires no k8s.io/kubernetes")
	}
	return m[1], nil
}

// ldflags sets the version that kubectl and the servers report. Without it they report v0.0.0-master, and the version checks of
// kubectl and the API server believe that.
func ldflags(version string) string {
	const pkg = "k8s.io/component-base/version"
	part := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	return strings.Join([]string{
		"-s -w",
		"-X " + pkg + ".gitVersion=" + version,
		"-X " + pkg + ".gitMajor=" + part[0],
		"-X " + pkg + ".gitMinor=" + part[1],
	}, " ")
}
