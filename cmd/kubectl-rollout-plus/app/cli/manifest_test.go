package cli

import (
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// What was read from a cluster during a rollout has fields that are the rollout's, and would give them to the Deployment for good.
func TestAManifestReadDuringARollout(t *testing.T) {
	t.Parallel()
	for spec, refused := range map[string]bool{
		`{"spec":{"minReadySeconds":5}}`:                                    false,
		`{"spec":{"minReadySeconds":2147483646}}`:                           true,
		`{"metadata":{"annotations":{"rollout-plus/rollout":"{\"x\":1}"}}}`: true,
		`{"metadata":{"annotations":{"other":"x"}}}`:                        false,
	} {
		text := strings.Replace(spec, "{", `{"apiVersion":"apps/v1","kind":"Deployment",`, 1)
		if strings.Contains(text, `"metadata":{`) {
			text = strings.Replace(text, `"metadata":{`, `"metadata":{"name":"web",`, 1)
		} else {
			text = strings.Replace(text, "{", `{"metadata":{"name":"web"},`, 1)
		}
		streams, in, _, _ := genericiooptions.NewTestIOStreams()
		in.WriteString(text)
		_, err := (&Env{IOStreams: streams}).ReadWorkload("-")
		if (err != nil) != refused || err != nil && (CodeOf(err) != ExitUsage || !strings.Contains(err.Error(), "while a rollout was open")) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
