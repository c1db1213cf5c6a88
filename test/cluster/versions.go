package main

import (
	_ "embed"
	"errors"
	"regexp"
	"strings"
)

// The module files travel with the program, so that what it builds is what they pin, wherever it is run from.
var (
	//go:embed go.mod
	goMod string
	//go:embed go.sum
	goSum string
)

// kubernetesVersion reads the one version that names everything else from the requirement in go.mod.
func kubernetesVersion(mod string) (string, error) {
	m := regexp.MustCompile(`(?m)^\s*k8s\.io/kubernetes (v\d+\.\d+\.\d+\S*)`).FindStringSubmatch(mod)
	if m == nil {
		return "", errors.New("go.mod requires no k8s.io/kubernetes")
	}
	return m[1], nil
}

// ldflags stamp the version that kubectl and the servers report; without them they say v0.0.0-master, which
// kubectl's and the API server's version checks take at its word.
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
