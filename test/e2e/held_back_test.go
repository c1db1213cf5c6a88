//go:build e2e

package e2e

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

// heldBack is what the plugin says of a proxy that holds watch data back.
const heldBack = "seems to hold watch data back"

// holdsAnswers keeps whole answers to watches back until the watch ends, headers and all.
func holdsAnswers(response *http.Response) error {
	if response.Request.URL.Query().Get("watch") != "true" {
		return nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err // nobody waits for it any more
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// holdsBodies lets the headers of a watch pass, and keeps what it brings back until it ends.
func holdsBodies(response *http.Response) error {
	if response.Request.URL.Query().Get("watch") == "true" {
		response.Body = &heldBody{ReadCloser: response.Body}
	}
	return nil
}

// heldBody is a body that has nothing to read before it is known as a whole.
type heldBody struct {
	io.ReadCloser
	whole io.Reader
}

func (h *heldBody) Read(into []byte) (int, error) {
	if h.whole == nil {
		body, err := io.ReadAll(h.ReadCloser)
		if err != nil {
			return 0, err
		}
		h.whole = bytes.NewReader(body)
	}
	return h.whole.Read(into)
}

// Behind a proxy that holds watch data back everything works, only slower, and the proxy is blamed.
func TestBehindAProxyThatHoldsWatchDataBack(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]func(*http.Response) error{"answers": holdsAnswers, "bodies": holdsBodies} {
		t.Run("start, holding "+name, func(t *testing.T) {
			w := newWeb(t, replicas(2))
			w.behind(func(*http.Request) {}, hold)
			w.start("web:v2", "--steps", "50%,100%").ends(0, heldBack, "deployment.apps/web rolled out (revision 2)")
			w.runs("web:v2")
			w.keeps("1", "1")
		})
	}
	t.Run("config watch", func(t *testing.T) {
		w := watched(t)
		w.behind(func(*http.Request) {}, holdsBodies)
		p := w.watching("configmap/settings")
		w.recolor("red")
		p.tells(heldBack)
		p.tells("deployment.apps/web rolled out")
		p.stopped()
	})
	t.Run("a failure", func(t *testing.T) {
		w := newWeb(t, replicas(2))
		w.behind(func(*http.Request) {}, holdsAnswers)
		w.start("web:crash", "--steps", "100%").ends(5, heldBack)
		w.runs("web:v1")
		w.keeps("1", "1")
	})
	for _, kind := range []string{"StatefulSet", "DaemonSet"} {
		t.Run("a "+kind, func(t *testing.T) {
			w := newStepped(t, kind)
			w.behind(func(*http.Request) {}, holdsAnswers)
			w.set("red", "--steps", "1").ends(0, heldBack)
			w.stands("red", w.pods)
			w.keeps()
		})
	}
	t.Run("status", func(t *testing.T) {
		w := newWeb(t, replicas(2))
		w.behind(func(*http.Request) {}, holdsAnswers)
		w.kubectl("set", "image", "deployment/web", "app=web:slow")
		w.plugin("status", "deployment/web").ends(0, `deployment "web" successfully rolled out`)
	})
}

// A newest template that its controller has yet to see is waited for by a watch; what that watch holds back is read.
func TestUndoBehindAProxyThatHoldsWatchDataBack(t *testing.T) {
	w := newWeb(t, replicas(2))
	w.behind(func(*http.Request) {}, holdsAnswers)
	w.kubectl("set", "image", "deployment/web", "app=web:v2")
	w.plugin("undo", "deployment/web", "--wait").ends(0, "rolled back")
	w.await("it runs the old version", func(m *snapshot) bool { return m.complete() && m.image() == "web:v1" })
}
