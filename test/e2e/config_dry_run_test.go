//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// A restart for configuration can be looked at before it is made, by every object, and each workload is told of once.
func TestDryRunOfRestartForConfig(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Deployment", "StatefulSet"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			s.needy(kind)
			name := strings.ToLower(kind) + ".apps/web"
			generation := func() string { return s.kubectl("get", kind, "web", "-o", "jsonpath={.metadata.generation}") }
			before := generation()
			s.inALaterSecond()
			s.recolor("red")
			s.kubectl("patch", "secret", "login", "-p", `{"stringData":{"token":"hush-newer"}}`)
			for dry, suffix := range map[string]string{"client": " (dry run)\n", "server": " (server dry run)\n"} {
				p := s.plugin("restart", "--config", "settings", "--dry-run="+dry).ends(0, "stdout: "+name+" rolled out"+suffix+"\n")
				if strings.Contains(p.errOut.String(), "step 1") {
					t.Errorf("it is rolled out\n%s", p.output())
				}
				p = s.plugin("restart", "--stale", "--dry-run="+dry).ends(0, "stdout: "+name+" rolled out"+suffix+"secret/login goes along"+suffix+"\n")
				if leaks(p.output()) {
					t.Errorf("a value of a Secret is told\n%s", p.output())
				}
				events := s.tellsEvents(s.plugin("restart", "--stale", "-o", "json", "--dry-run="+dry), 0, "secret/login result planned")
				s.expectResults(events, map[string]string{"configmap/settings": "planned", strings.ToLower(kind) + "/web": "planned", "secret/login": "planned"})
			}
			if after := generation(); after != before {
				t.Errorf("the generation is %s, not %s", after, before)
			}
			s.expectVersions(0)
			s.plugin("restart", kind+"/web", "--dry-run=server").ends(2, "--dry-run go with --config or --stale")
			s.plugin("restart", "--stale", "--dry-run=maybe").ends(2, "Invalid dry-run value (maybe)")
			s.plugin("restart", "--stale", "--steps", "100%").ends(0, name+" rolled out", "secret/login runs everywhere as it is")
			s.plugin("restart", "--stale", "--dry-run=server").ends(0, "secret/login runs everywhere as it is")
		})
	}
}
