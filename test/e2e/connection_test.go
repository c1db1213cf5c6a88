//go:build e2e

package e2e

import (
	"context"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

// cable is the plugin's connection to the API server, to be cut and mended. TLS passes through.
type cable struct {
	server   string
	listener net.Listener

	mu      sync.Mutex
	cut     bool
	clients map[net.Conn]bool
	ended   sync.WaitGroup
}

// lay puts a cable between the API server and those who use the test's kubeconfig from now on.
func (s *space) lay() *cable {
	s.Helper()
	cluster := s.config.Clusters[s.config.Contexts[s.config.CurrentContext].Cluster]
	server, err := url.Parse(cluster.Server)
	must(s.TB, err)
	c := &cable{server: server.Host, clients: map[net.Conn]bool{}}
	var listen net.ListenConfig
	c.listener, err = listen.Listen(s.Context(), "tcp", "127.0.0.1:0")
	must(s.TB, err)
	c.ended.Go(c.accept)
	s.Cleanup(func() {
		_ = c.listener.Close() // ends accept
		c.sever(true)
		c.ended.Wait()
	})
	cluster.TLSServerName = server.Hostname()
	server.Host = c.listener.Addr().String()
	cluster.Server = server.String()
	s.kubeconfig = filepath.Join(s.TempDir(), "kubeconfig")
	must(s.TB, clientcmd.WriteToFile(*s.config, s.kubeconfig))
	return c
}

func (c *cable) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		if c.cut {
			_ = client.Close() // nobody is at home
		} else {
			c.clients[client] = true
			c.ended.Go(func() { c.carry(client) })
		}
		c.mu.Unlock()
	}
}

func (c *cable) carry(client net.Conn) {
	defer func() { _ = client.Close() }()
	var dial net.Dialer
	server, err := dial.DialContext(context.Background(), "tcp", c.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	c.ended.Go(func() {
		defer func() { _ = client.Close() }()
		defer func() { _ = server.Close() }()
		_, _ = io.Copy(client, server) // an end is an end, however it comes
	})
	_, _ = io.Copy(server, client)
}

// sever cuts all connections, and refuses new ones until it is called again with false.
func (c *cable) sever(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if !cut {
		return
	}
	for client := range c.clients {
		_ = client.Close()
	}
	clear(c.clients)
}

func TestALostConnectionComesBack(t *testing.T) {
	w := newWeb(t, replicas(6), delay("700ms"), progressDeadline(60))
	c := w.lay()
	p := w.start("web:slow")
	w.await("it is under way", func(m *snapshot) bool { return m.step() == 2 })
	c.sever(true)
	p.tells("no connection to the API server")
	// The gate is shut: what was under way comes to its end, and no more.
	w.await("it stands", func(m *snapshot) bool { return m.isStable() && m.ready("") == m.total("") })
	c.sever(false)
	p.ends(0, "deployment.apps/web rolled out (revision 2)")
	w.runs("web:slow")
	w.reached("web:v1", "web:slow", 1, 2, 3, 6)
	w.keeps("1", "1")
}

// A watch that ends with its connection begins anew, and nobody who waits notices: of a rollout that came to its end
// meanwhile the end is told.
func TestStatusThroughABadConnection(t *testing.T) {
	for kind, c := range map[string]struct{ spec, done string }{
		"Deployment":  {"", `deployment "web" successfully rolled out`},
		"StatefulSet": {"podManagementPolicy: Parallel", "partitioned roll out complete: 2 new pods have been updated..."},
	} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			s.rolledOut(manifestOf(kind, "web", "web:v1", c.spec))
			object := strings.ToLower(kind) + "/web"
			s.kubectl("set", "image", object, "app=web:never-ready")
			direct := s.kubeconfig
			between := s.lay()
			p := s.plugin("status", object)
			p.tells("Waiting for")
			for range 3 {
				between.sever(true)
				between.sever(false)
			}
			between.sever(true)
			s.kubeconfig = direct
			s.kubectl("rollout", "undo", object)
			s.kubectl("rollout", "status", object)
			between.sever(false)
			p.ends(0, c.done)
		})
	}
}

// Connections break now and then, again and again, at any moment.
func TestABadConnection(t *testing.T) {
	w := newWeb(t, replicas(6), delay("300ms"))
	c := w.lay()
	p := w.start("web:slow", "--steps", "1,2,3,4,5")
	w.await("it is under way", func(m *snapshot) bool { return m.step() == 1 })
	for range 6 {
		w.more(7, p.done)
		c.sever(true)
		c.sever(false)
	}
	p.ends(0, "deployment.apps/web rolled out (revision 2)")
	w.runs("web:slow")
	w.keeps("1", "1")
}

// Without a connection a Ctrl-C still works, and the rollout goes on from elsewhere.
func TestCtrlCWithoutAConnection(t *testing.T) {
	w := newWeb(t, replicas(2))
	direct := w.kubeconfig
	c := w.lay()
	p := w.underWay()
	c.sever(true)
	p.tells("no connection to the API server")
	p.signal(syscall.SIGINT)
	p.ends(130, "stands still at step 1 of 2")
	w.plugin("status", "deployment/web", "--watch=false").ends(1)
	w.kubeconfig = direct
	w.plugin("abort", "deployment/web").ends(0)
	w.runs("web:v1")
}
