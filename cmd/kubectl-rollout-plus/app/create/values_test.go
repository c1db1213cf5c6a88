package create

import (
	"strings"
	"testing"
)

func TestParseProbe(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"http:8080/healthz":   "http 8080 /healthz",
		"http:8080":           "http 8080 /",
		"http:80/a/b?c=d":     "http 80 /a/b?c=d",
		"tcp:5432":            "tcp 5432",
		"tcp:5432/":           "expected http:PORT/PATH or tcp:PORT",
		"grpc:80":             "expected http:PORT/PATH or tcp:PORT",
		"http":                `"" is not a port`,
		"http:x/":             `"x" is not a port`,
		"http:0/":             "a port is a number from 1 to 65535",
		"http:65536/":         "a port is a number from 1 to 65535",
		"http:99999999999999": "is not a port",
	} {
		probe, err := parseProbe(value)
		var got string
		switch {
		case err != nil:
			got = err.Error()
		case probe.HTTPGet != nil:
			got = "http " + probe.HTTPGet.Port.String() + " " + probe.HTTPGet.Path
		default:
			got = "tcp " + probe.TCPSocket.Port.String()
		}
		if !strings.HasSuffix(got, want) {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
	if probe, err := parseProbe(""); probe != nil || err != nil {
		t.Errorf("without one: %v, %v", probe, err)
	}
}

func TestContainerName(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"web":                                "web",
		"registry.example.com:5000/a/web:v1": "web",
		"web@sha256:0123":                    "web",
		"My_App.v2:1":                        "my-appv2",
		"registry/-_-:1":                     "app",
		strings.Repeat("x", 80):              strings.Repeat("x", 63),
		strings.Repeat("x", 62) + "-yy":      strings.Repeat("x", 62),
	} {
		if got := containerName(image); got != want {
			t.Errorf("%s: got %s, want %s", image, got, want)
		}
	}
}
