//go:build e2e

package e2e

import (
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// behind puts a proxy between the API server and those who use the space's kubeconfig from now on. Each request goes through
// ask, and each answer through tell, which may be nil.
func (s *space) behind(ask func(*http.Request), tell func(*http.Response) error) {
	s.Helper()
	config, err := clientcmd.NewDefaultClientConfig(*s.config, nil).ClientConfig()
	must(s.TB, err)
	transport, err := rest.TransportFor(config)
	must(s.TB, err)
	server, err := url.Parse(config.Host)
	must(s.TB, err)
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(server)
			ask(r.Out)
		},
		Transport: transport, FlushInterval: -1, ModifyResponse: tell,
	})
	s.Cleanup(proxy.Close)
	s.config.Clusters[s.config.Contexts[s.config.CurrentContext].Cluster] = &clientcmdapi.Cluster{Server: proxy.URL}
	s.writeKubeconfig()
}

// requests are what commands ask of the API server.
type requests struct {
	mu    sync.Mutex
	paths []string
}

func (r *requests) note(request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths = append(r.paths, request.URL.Path)
}

// taken are those since it was called last.
func (r *requests) taken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	paths := r.paths
	r.paths = nil
	return paths
}

// What a workload is needs not be asked, and status and history of what is finished take no more requests than kubectl's.
func TestRequests(t *testing.T) {
	s := newSpace(t)
	s.workload("deploy", "web:v1", "web:v2")
	s.workload("sts", "web:v1")
	s.workload("ds", "web:v1")
	seen := &requests{}
	s.behind(seen.note, nil)
	discovery := regexp.MustCompile(`^/(api|apis|openapi.*|apis?/[^/]+|apis/[^/]+/[^/]+|version)$`)
	for _, args := range [][]string{
		{"status", "deployment/web"},
		{"status", "deploy", "web"},
		{"status", "deployments.apps/web"},
		{"status", "deploy,sts,ds"},
		{"status", "deployments", "-l", "app=web"},
		{"status", "sts/web", "ds/web"},
		{"status", "deploy/web", "-o", "json"},
		{"history", "deployment/web"},
		{"history", "sts", "web"},
		{"history", "deploy/web", "-o", "wide"},
		{"diff", "deploy/web"},
		{"undo", "deploy/web", "--dry-run=client"},
		{"undo", "deploy/web"},
		{"undo", "sts,ds", "-l", "app=web", "--dry-run=server"},
		{"restart", "sts/web", "ds/web", "--force"},
		{"pause", "deploy/web"},
		{"resume", "deployment.v1.apps/web"},
	} {
		s.plugin(args...).code()
		paths := seen.taken()
		if len(paths) == 0 || slices.ContainsFunc(paths, discovery.MatchString) {
			t.Errorf("%v asks for %q", args, paths)
		}
	}
	for _, object := range []string{"deploy/web", "sts/web", "ds/web"} {
		s.kubectl("rollout", "status", object)
	}
	for _, args := range [][]string{
		{"status", "deployment/web"},
		{"status", "sts/web"},
		{"status", "ds/web"},
		{"history", "deployment/web"},
		{"history", "sts/web"},
		{"history", "deploy/web", "--revision", "2"},
	} {
		var counts [2]int
		for i, command := range []string{"rollout", "rollout-plus"} {
			s.kubectl(append([]string{command}, args...)...) // what the server offers is known then
			seen.taken()
			s.kubectl(append([]string{command}, args...)...)
			counts[i] = len(seen.taken())
		}
		if counts[0] == 0 || counts[1] > counts[0] {
			t.Errorf("%v takes %d requests, kubectl's %d", args, counts[1], counts[0])
		}
	}
}

// A finished Deployment without a deadline is not watched for that, though an open rollout has that deadline too.
func TestStatusOfAFinishedDeploymentWithoutADeadline(t *testing.T) {
	w := newWeb(t, progressDeadline(math.MaxInt32))
	seen := &requests{}
	w.behind(seen.note, nil)
	w.plugin("status", "deployment/web").ends(0, "stdout: deployment \"web\" successfully rolled out\n")
	if paths := seen.taken(); len(paths) != 2 || !strings.HasSuffix(paths[0], "/deployments/web") || !strings.HasSuffix(paths[1], "/replicasets") {
		t.Errorf("status asks for %q", paths)
	}
}

// However many objects there are to look at, what runs pods is listed once.
func TestStaleListsWorkloadsOnce(t *testing.T) {
	s := newSpace(t)
	s.workload("deploy", "web:v1")
	for _, name := range []string{"a", "b", "c"} {
		s.kubectl("create", "configmap", name, "--from-literal="+name+"=1")
		s.kubectl("set", "env", "deploy/web", "--from=configmap/"+name)
	}
	s.kubectl("rollout", "status", "deploy/web")
	seen := &requests{}
	s.behind(seen.note, nil)
	s.plugin("restart", "--stale").ends(0, "configmap/a runs everywhere as it is", "configmap/c runs everywhere as it is")
	paths := seen.taken()
	lists := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return !strings.HasSuffix(path, "/statefulsets") })
	if len(lists) != 1 {
		t.Errorf("restart --stale asks for %q", paths)
	}
}
