//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// What was refused before a command is no proof for it: once the cause is mended, resume goes on at once.
func TestResumeDoesNotFailForWhatWasRefusedBefore(t *testing.T) {
	w := newWeb(t, strategy("1", "0"))
	w.kubectl("label", "namespace", w.name, "pod-security.kubernetes.io/enforce=restricted")
	w.start("web:v2", "--skip-checks", "--on-failure", "hold").ends(4, "PodSecurityViolated", "refused last at ")
	w.plugin("resume", "deployment/web").ends(4, "warning: ", "that is older than this command", "failed: replicaset web-")
	w.kubectl("label", "namespace", w.name, "pod-security.kubernetes.io/enforce-")
	w.plugin("resume", "deployment/web").ends(0, "rolled out")
	w.runs("web:v2")
	w.keeps("1", "0")
	if labels := w.kubectl("get", "replicasets", "-o", "jsonpath={.items[*].metadata.labels}"); strings.Contains(labels, "rollout-plus") {
		t.Errorf("a label stays behind: %s", labels)
	}
}
