//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// helper is a program that gives the plugin its credentials.
type helper struct {
	*space
	dir string
}

// withHelper has those who use the space's kubeconfig ask a helper for their credentials, which are never good for long.
func (s *space) withHelper() *helper {
	s.Helper()
	h := &helper{space: s, dir: s.TempDir()}
	user := s.config.AuthInfos[s.config.Contexts[s.config.CurrentContext].AuthInfo]
	credential, err := json.Marshal(map[string]any{
		"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": map[string]any{
			"expirationTimestamp":   "2020-01-01T00:00:00Z",
			"clientCertificateData": string(user.ClientCertificateData), "clientKeyData": string(user.ClientKeyData),
		},
	})
	must(s.TB, err)
	must(s.TB, os.WriteFile(h.file("credential"), credential, 0o600))
	script := fmt.Sprintf("cd %q && if [ -e broken ]; then echo x >> failures; echo 'log in first' >&2; exit 1; fi; cat credential", h.dir)
	*user = clientcmdapi.AuthInfo{Exec: &clientcmdapi.ExecConfig{
		Command: "sh", Args: []string{"-c", script}, APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: clientcmdapi.NeverExecInteractiveMode,
	}}
	must(s.TB, clientcmd.WriteToFile(*s.config, s.kubeconfig))
	return h
}

func (h *helper) file(name string) string { return filepath.Join(h.dir, name) }

// fails has it fail from now on, or no more.
func (h *helper) fails(does bool) {
	h.Helper()
	if does {
		must(h.TB, os.WriteFile(h.file("broken"), nil, 0o600))
	} else {
		must(h.TB, os.Remove(h.file("broken")))
	}
}

// failures is how often it was asked in vain.
func (h *helper) failures() int {
	h.Helper()
	calls, err := os.ReadFile(h.file("failures"))
	if os.IsNotExist(err) {
		return 0
	}
	must(h.TB, err)
	return strings.Count(string(calls), "x")
}

// A helper that fails is asked ever more seldom: by one wait at most some five times in twenty seconds.
func TestAFailingCredentialHelperIsSpared(t *testing.T) {
	t.Parallel()
	const bound = 8
	for name, c := range map[string]struct {
		command []string
		// watches is what it tells once its watches have brought something.
		watches string
	}{
		"status": {[]string{"status", "deployment/web", "--timeout", "20s"}, "warning: "},
		"start":  {[]string{"start", "deployment/web", "--image", "web:slow", "--env", "TRY=2", "--timeout", "20s"}, "step 1/2: new 0/1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWeb(t, replicas(2), delay("1h"))
			if name == "status" {
				w.kubectl("set", "image", "deployment/web", "app=web:never-ready")
			}
			cable := w.lay()
			h := w.withHelper()
			p := w.plugin(c.command...)
			p.tells(c.watches)
			h.fails(true)
			cable.sever(true)
			cable.sever(false)
			p.ends(124)
			if failures := h.failures(); failures == 0 || failures > bound {
				t.Errorf("it was asked %d times\n%s", failures, p.output())
			}
		})
	}
	t.Run("from the beginning", func(t *testing.T) {
		w := newWeb(t, replicas(2))
		h := w.withHelper()
		h.fails(true)
		w.start("web:v2").ends(1, "executable sh failed")
		if failures := h.failures(); failures > bound {
			t.Errorf("it was asked %d times", failures)
		}
	})
	t.Run("for a while", func(t *testing.T) {
		w := newWeb(t, replicas(2))
		cable := w.lay()
		h := w.withHelper()
		p := w.start("web:v2", "--steps", "50%,100%", "--hold", "10s")
		p.tells("watched for")
		h.fails(true)
		cable.sever(true)
		cable.sever(false)
		p.tells("no connection to the API server")
		w.until(func() bool { return h.failures() >= 2 }, func() string { return fmt.Sprintf("asked %d times", h.failures()) })
		h.fails(false)
		p.ends(0, "rolled out (revision 2)")
		w.runs("web:v2")
		w.keeps("1", "1")
	})
	t.Run("until Ctrl-C", func(t *testing.T) {
		w := newWeb(t, replicas(2))
		cable := w.lay()
		h := w.withHelper()
		p := w.start("web:v2", "--steps", "50%,100%", "--hold", "1h")
		p.tells("watched for")
		h.fails(true)
		cable.sever(true)
		cable.sever(false)
		p.tells("no connection to the API server")
		p.signal(syscall.SIGINT)
		p.ends(130)
		if failures := h.failures(); failures > bound {
			t.Errorf("it was asked %d times", failures)
		}
	})
}
