//go:build bench

package bench

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// requests are what went through a proxy in front of the API server, by method and what it was for.
type requests map[string]int

func (r requests) writes() int { return r["PATCH"] + r["PUT"] + r["POST"] + r["DELETE"] }
func (r requests) reads() int  { return r["GET"] + r[review] }

// review is a question for a right, which is asked by a POST and writes nothing.
const review = "review"

// events are asked for where pods are silent for long. How often that is depends on the machine.
const events = "events"

func kindOf(r *http.Request) string {
	if strings.HasSuffix(r.URL.Path, "/events") {
		return events
	}
	if strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews") {
		return review
	}
	return r.Method
}

// counting runs work with a kubeconfig that leads through a counting proxy. Of several works the last one counts: those
// before it fill the cache of what the server offers, which kubectl keeps by the server's address.
func (b *bed) counting(works ...func(kubeconfig string)) requests {
	b.t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		b.t.Fatal(err)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		b.t.Fatal(err)
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		b.t.Fatal(err)
	}
	var mu sync.Mutex
	counted := requests{}
	proxy := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(server) },
	}
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		counted[kindOf(r)]++
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	defer listener.Close()
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters["proxy"] = &clientcmdapi.Cluster{Server: listener.URL}
	kubeconfig.Contexts["proxy"] = &clientcmdapi.Context{Cluster: "proxy"}
	kubeconfig.CurrentContext = "proxy"
	path := filepath.Join(b.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*kubeconfig, path); err != nil {
		b.t.Fatal(err)
	}
	for _, work := range works {
		mu.Lock()
		clear(counted)
		mu.Unlock()
		work(path)
	}
	mu.Lock()
	defer mu.Unlock()
	return counted
}
