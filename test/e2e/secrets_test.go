//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
)

// No command tells a value of a Secret, however much it is asked to log.
func TestNoCommandLogsASecret(t *testing.T) {
	s := newSpace(t)
	manifest := "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {token: hush-one}\n"
	s.kubectl("apply", "-f", s.write(s.dir(), "secret.yaml", manifest))
	deployment := manifestOfSecret("web:v1")
	s.kubectl("apply", "-f", s.write(s.dir(), "web.yaml", deployment))
	s.kubectl("rollout", "status", "deployment/web")
	bodies := 0
	for _, command := range [][]string{
		{"check", "deployment/web"},
		{"start", "deployment/web", "--image", "app=web:v2", "--steps", "100%"},
		{"start", "deployment/web", "--dry-run=server", "-f", s.write(s.dir(), "v3.yaml", strings.Replace(deployment, "web:v1", "web:v3", 1)), "--force-conflicts"},
		{"undo", "deployment/web", "--wait"},
		{"config", "affected", "secret/login", "token=hush-two"},
		{"config", "set", "secret/login", "token=hush-two", "--yes", "--pin", "--steps", "100%"},
		{"config", "apply", "-f", s.write(s.dir(), "next.yaml", strings.Replace(manifest, "hush-one", "hush-three", 1)), "--yes", "--steps", "100%"},
		{"config", "history", "secret/login"},
		{"config", "diff", "secret/login"},
		{"history", "deployment/web", "-o", "wide"},
		{"history", "deployment/web", "--revision", "1"},
		{"diff", "deployment/web"},
		{"restart", "--stale"},
		{"restart", "--config", "secret/login"},
		{"undo", "deployment/web", "--wait", "--steps", "100%"},
		{"explain", "deployment/web"},
		{"status", "deployment/web"},
		{"create", "deployment", "other", "--image", "web:v1", "--env-from-config", "secret/login", "--wait"},
		{"config", "detach", "deployment/web", "secret/login", "--steps", "100%"},
	} {
		for _, flags := range [][]string{{"-v=10"}, {"-v=8", "--vmodule=request=10,*=10"}} {
			p := s.plugin(append(slices.Clone(command), flags...)...)
			p.code()
			if told := p.output(); strings.Contains(told, "hush") || strings.Contains(told, "aHVza") {
				t.Errorf("%v tells a value", command)
			} else if strings.Contains(told, `"Response Body"`) {
				bodies++
			}
		}
	}
	if bodies < 30 {
		t.Errorf("but for %d commands nothing was logged, so that this is no proof", bodies)
	}
}

// manifestOfSecret is a Deployment that sees a Secret in every way.
func manifestOfSecret(image string) string {
	return strings.Replace(workloadManifest("Deployment", image), "replicas: 2", "replicas: 1", 1) +
		"        env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: login, key: token}}}]\n" +
		"        volumeMounts: [{name: login, mountPath: /login}]\n" +
		"      volumes: [{name: login, secret: {secretName: login}}]\n" +
		"      imagePullSecrets: [{name: login}]\n"
}
