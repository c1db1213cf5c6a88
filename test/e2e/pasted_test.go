//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// pasting collects the commands that the plugin prints, for a connection whose flags all have to be quoted.
type pasting struct {
	*space
	given    []string
	commands map[string]bool
}

// strangers makes the flags of a connection hard to quote.
func (s *space) strangers() *pasting {
	s.Helper()
	const name = `it's "my" context!`
	strange := s.config.DeepCopy()
	strange.Contexts[name] = strange.Contexts[strange.CurrentContext]
	strange.Contexts[name].Namespace = "" // so that nothing works without -n
	strange.CurrentContext = ""
	s.kubeconfig = filepath.Join(s.TempDir(), "a $HOME", "kubeconfig")
	must(s.TB, os.MkdirAll(filepath.Dir(s.kubeconfig), 0o700))
	must(s.TB, clientcmd.WriteToFile(*strange, s.kubeconfig))
	return &pasting{space: s, commands: map[string]bool{}, given: []string{
		"--kubeconfig", s.kubeconfig, "--context", name, "--as", "jane doe", "--as-group", "system:masters", "-n", s.name,
	}}
}

// printed is a command in a sentence: in single quotes, with none inside but in words of its own.
var printed = regexp.MustCompile(`'(kubectl (?:"(?:[^"\\\n]|\\.)*"|\\.|[^'"\\\n])*)'`)

// tells runs a command, and collects what it prints. What is only mentioned is none: a name without an object.
func (p *pasting) tells(code int, args ...string) {
	p.Helper()
	process := p.plugin(slices.Concat(args[:1], p.given, args[1:])...)
	process.ends(code)
	if found := p.collect(process.out.String() + process.errOut.String()); found == 0 && code != 0 {
		p.Errorf("no command is printed:\n%s", process.output())
	}
}

func (p *pasting) collect(text string) (found int) {
	for _, match := range printed.FindAllStringSubmatch(text, -1) {
		if len(strings.Fields(match[1])) > 2 {
			p.commands[match[1]] = true
			found++
		}
	}
	for line := range strings.Lines(text) {
		if _, next, is := strings.Cut(strings.TrimSpace(line), "next: "); is {
			p.commands[next] = true
			found++
		}
	}
	return found
}

// carries expects a command to name the cluster and the namespace that were given.
func (p *pasting) carries(line string) {
	p.Helper()
	if strings.HasSuffix(line, " --help") {
		return
	}
	flags := []string{"--kubeconfig " + command.Word(p.kubeconfig)}
	if !strings.HasPrefix(line, "kubectl config ") {
		flags = append(flags, `--context "it's \"my\" context"\!""`, `--as "jane doe"`, "--as-group system:masters")
		if !regexp.MustCompile(`^kubectl (get|describe) (nodes|namespaces?|priorityclasses|volumeattachments|leases|mutating\S+|validating\S+|\S+ -n kube-system)\b`).MatchString(line) {
			flags = append(flags, " -n "+p.name)
		}
	}
	for _, flag := range flags {
		if !strings.Contains(line, flag) {
			p.Errorf("%s\nlacks %s", line, flag)
		}
	}
}

// readOnly lets commands read, and refuses what they would write: they are many, and each is to find things as they are. It
// returns how that ends.
func (p *pasting) readOnly() (end func()) {
	p.Helper()
	config, err := clientcmd.NewDefaultClientConfig(*p.config, nil).ClientConfig()
	must(p.TB, err)
	transport, err := rest.TransportFor(config)
	must(p.TB, err)
	server, err := url.Parse(config.Host)
	must(p.TB, err)
	through := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(server) }, Transport: transport, FlushInterval: -1,
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.URL.Query().Get("dryRun") != "" || strings.HasSuffix(r.URL.Path, "accessreviews")
		if reads {
			through.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"nothing is written in this test"}`)
	}))
	before, err := os.ReadFile(p.kubeconfig)
	must(p.TB, err)
	strange, err := clientcmd.LoadFromFile(p.kubeconfig)
	must(p.TB, err)
	for name := range strange.Clusters {
		strange.Clusters[name] = &clientcmdapi.Cluster{Server: proxy.URL}
	}
	for name := range strange.AuthInfos {
		strange.AuthInfos[name] = &clientcmdapi.AuthInfo{}
	}
	must(p.TB, clientcmd.WriteToFile(*strange, p.kubeconfig))
	return func() {
		proxy.Close()
		must(p.TB, os.WriteFile(p.kubeconfig, before, 0o600))
	}
}

// refused is what no command may answer that can be pasted as it stands.
var refused = regexp.MustCompile(`(?i)unknown (shorthand )?(flag|command)|syntax error|unexpected|invalid argument|required|unterminated|command not found|` +
	`no such file|does not exist|doesn't have a resource type|usage:|couldn't get|unable to`)

// paste runs a command in a shell that knows nothing of the cluster.
func (p *pasting) paste(line string, missing bool) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), 10*time.Second)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-c", "exec "+line)
	shell.Env = slices.DeleteFunc(p.environment(), func(variable string) bool { return strings.HasPrefix(variable, "KUBECONFIG=") })
	shell.Env = append(shell.Env, "EDITOR=true", "KUBE_EDITOR=true", "KUBECONFIG=/dev/null")
	out, err := shell.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil: // it waits, as status does
	case err != nil && !errors.As(err, &exit):
		p.Error(err)
	case err != nil && exit.ExitCode() != 1 && exit.ExitCode() < 4, err != nil && exit.ExitCode() > 7:
		p.Errorf("%s\nends with %d:\n%s", line, exit.ExitCode(), out)
	}
	// What is to be filled in is in capital letters. Until then the command finds no such file or image.
	text := strings.ReplaceAll(string(out), "error reading FILE: no such file or directory", "")
	if err != nil && (refused.MatchString(text) || !missing && strings.Contains(text, "not found")) {
		p.Errorf("%s\nis not accepted:\n%s", line, text)
	}
}

// pasteAll runs all commands, a few at a time.
func (p *pasting) pasteAll(missing bool) {
	p.Helper()
	defer p.readOnly()()
	var group sync.WaitGroup
	free := make(chan struct{}, 4)
	// On a server that lacks them, kubectl says so.
	const policies = "mutatingadmissionpolicies"
	lacks := !p.serves(admissionv1.SchemeGroupVersion.String(), policies)
	for _, line := range slices.Sorted(maps.Keys(p.commands)) {
		p.carries(line)
		if lacks && strings.Contains(line, policies) {
			continue
		}
		group.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			p.paste(line, missing)
		})
	}
	group.Wait()
	clear(p.commands)
}

// Whatever is printed to be run next can be pasted into a shell as it stands.
func TestWhatIsPrintedCanBePasted(t *testing.T) {
	w := newWeb(t, progressDeadline(20))
	w.kubectl("create", "deployment", "paused", "--image", "web:v1")
	w.kubectl("rollout", "pause", "deployment/paused")
	w.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	w.kubectl("set", "env", "deployment/web", "--from=configmap/settings")
	w.kubectl("rollout", "status", "deployment/web")
	p := w.strangers()
	// A later part changes what an earlier one tells of.
	for _, part := range [][]advising{
		{{5, "start deployment/web --image web:crash --skip-checks"}},
		{
			{4, "start deployment/web --image web:crash --skip-checks --on-failure hold"},
			{4, "explain deployment/web"},
			{4, "status deployment/web"},
			{1, "start deployment/web --image web:v3"},
			{1, "restart deployment/web"},
			{124, "resume deployment/web --patience 1m --timeout 1s"},
		},
		{
			{0, "abort deployment/web"},
			{1, "abort deployment/web"},
			{1, "status deployment/nix"},
			{1, "history deployment/web --revision 99"},
			{1, "undo deployment/web --to-revision 99"},
			{1, "start deployment/web --to-revision 99"},
			{1, "restart deployment/paused"},
			{1, "start deployment/paused --image web:v2"},
			{1, "config set nix a=b"},
			{1, "config set secret/nix a=b"},
			{1, "restart --config nix"},
			{2, "start deployment/web --image"},
			{2, "nix"},
		},
	} {
		for _, each := range part {
			p.tells(each.code, strings.Fields(each.args)...)
		}
		p.pasteAll(false)
	}
}

// advising is a command line that tells what to run next, and how it ends.
type advising struct {
	code int
	args string
}

// So can what the catalog of causes has for causes that are hard to come by.
func TestTheCatalogCanBePasted(t *testing.T) {
	w := newWeb(t)
	pods := w.kubectl("get", "pods", "-o", "name")
	pod, _, _ := strings.Cut(pods, "\n")
	p := w.strangers()
	connection := command.Connection{}.With("kubeconfig", p.kubeconfig).With("context", p.given[3]).With("as", p.given[5]).With("as-group", p.given[7])
	fill := strings.NewReplacer("{pod}", strings.TrimPrefix(strings.TrimSpace(pod), "pod/"), "{container}", "app", "{namespace}", p.name,
		"{workload}", "deployment/web", "{subject}", "kube-root-ca.crt")
	for _, cause := range diagnose.Causes() {
		for _, remedy := range connection.Lines(cause.Remedy) {
			p.commands[fill.Replace(remedy)] = true
		}
	}
	p.pasteAll(true)
}
