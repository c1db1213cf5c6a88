package rollout

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// stream is one watch that a client has open.
type stream struct {
	resource string
	lines    chan []byte
	cut      chan struct{}
	rest     []byte
	request  *http.Request
	// heldBack is what a proxy keeps until the watch ends, and holds tells that there is such a proxy.
	heldBack []byte
	holds    bool
}

// Read gives the next lines, and waits for them.
func (s *stream) Read(into []byte) (int, error) {
	for len(s.rest) == 0 {
		select {
		case line := <-s.lines:
			if s.holds {
				s.heldBack = append(s.heldBack, line...)
			} else {
				s.rest = line
			}
		case <-s.cut:
			if len(s.heldBack) == 0 {
				return 0, io.EOF
			}
			s.rest, s.heldBack = s.heldBack, nil
		case <-s.request.Context().Done():
			return 0, s.request.Context().Err()
		}
	}
	count := copy(into, s.rest)
	s.rest = s.rest[count:]
	return count, nil
}

// Close is the client's end of the watch.
func (s *stream) Close() error { return nil }

// list is a whole collection with the version at which it is one.
func (a *apiServer) list(resource string) any {
	kind := map[string][2]string{
		"deployments": {"DeploymentList", "apps/v1"}, "replicasets": {"ReplicaSetList", "apps/v1"}, "pods": {"PodList", "v1"},
		"resourcequotas": {"ResourceQuotaList", "v1"},
	}[resource]
	return map[string]any{
		"kind": kind[0], "apiVersion": kind[1], "metadata": map[string]any{"resourceVersion": strconv.FormatInt(a.serial, 10)},
		"items": a.items(resource),
	}
}

func (a *apiServer) items(resource string) []any {
	items := []any{}
	switch resource {
	case "deployments":
		if a.d != nil {
			items = append(items, a.d)
		}
	case "replicasets":
		for _, rs := range a.sets {
			items = append(items, rs)
		}
	case "pods":
		for _, pod := range a.pods {
			items = append(items, pod)
		}
	case "resourcequotas":
		for _, quota := range a.quotas {
			items = append(items, quota)
		}
	}
	return items
}

// watch opens a stream that begins with the collection as it is, whatever version the client knows: to see an object
// again changes nothing. Where versions are expired it is told that in the stream, as by an API server that has just come up.
func (a *apiServer) watch(request *http.Request) (*http.Response, error) {
	if request.URL.Query().Get("sendInitialEvents") != "" {
		return answer(request, nil, apierrors.NewBadRequest("this API server knows no sendInitialEvents"))
	}
	parts := strings.Split(request.URL.Path, "/")
	s := &stream{resource: parts[len(parts)-1], lines: make(chan []byte, 10_000), cut: make(chan struct{}), request: request}
	s.holds = a.heldBack != nil && a.heldBack(s.resource)
	for _, item := range a.items(s.resource) {
		s.lines <- line(watch.Modified, item)
	}
	if a.expired && request.URL.Query().Get("resourceVersion") != "" {
		s.lines = make(chan []byte, 1)
		s.lines <- line(watch.Error, apierrors.NewResourceExpired("too old resource version").Status())
	} else {
		a.streams = append(a.streams, s)
	}
	a.changed = a.send
	return &http.Response{
		StatusCode: http.StatusOK, Request: request, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": []string{"application/json"}}, Body: s, ContentLength: -1,
	}, nil
}

func line(event watch.EventType, object any) []byte {
	text, err := json.Marshal(map[string]any{"type": event, "object": object})
	if err != nil {
		panic(err) // an object of this package's own making
	}
	return append(text, '\n')
}

// send tells every stream of the object's kind.
func (a *apiServer) send(event watch.EventType, object metav1.Object) {
	resource := ""
	switch object.(type) {
	case *appsv1.Deployment:
		resource = "deployments"
	case *appsv1.ReplicaSet:
		resource = "replicasets"
	case *corev1.Pod:
		resource = "pods"
	}
	a.streams = slices.DeleteFunc(a.streams, func(s *stream) bool { return s.request.Context().Err() != nil })
	for _, s := range a.streams {
		if s.resource == resource {
			s.lines <- line(event, object)
		}
	}
}

// bookmark tells every stream of a resource how far it has come.
func (a *apiServer) bookmark(resource string) {
	kind := map[string][2]string{"deployments": {"Deployment", "apps/v1"}, "replicasets": {"ReplicaSet", "apps/v1"}, "pods": {"Pod", "v1"}}[resource]
	for _, s := range a.streams {
		if s.resource == resource {
			s.lines <- line(watch.Bookmark, map[string]any{
				"kind": kind[0], "apiVersion": kind[1], "metadata": map[string]any{"resourceVersion": strconv.FormatInt(a.serial, 10)},
			})
		}
	}
}

// cutStreams ends the watches of a resource, of all where it is empty. A last word is sent before.
func (a *apiServer) cutStreams(resource string, last []byte) {
	a.streams = slices.DeleteFunc(a.streams, func(s *stream) bool {
		if resource != "" && s.resource != resource {
			return false
		}
		if last != nil {
			s.lines <- last
		} else {
			close(s.cut)
		}
		return true
	})
}
