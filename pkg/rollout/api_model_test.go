package rollout

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// apiServer serves a world to a client without a network between.
type apiServer struct {
	mu sync.Mutex
	*world
	// refuse answers a request instead of the world, where it gives an error.
	refuse func(request *http.Request) error
	// lost lets a write happen and its answer get lost.
	lost func(request *http.Request) bool
	// expired makes every version too old to begin a watch with.
	expired bool
	// heldBack tells of which resources a proxy holds watch data back until the watch ends. It may be nil.
	heldBack func(resource string) bool
	writes   []string
	streams  []*stream
	// told are the events that there are, and asked whose were asked for.
	told  []*corev1.Event
	asked []types.UID
	// quotas are those of the namespace.
	quotas []*corev1.ResourceQuota
}

func (a *apiServer) client() (*kubernetes.Clientset, error) {
	return kubernetes.NewForConfig(&rest.Config{Host: "http://world", QPS: -1, Transport: a})
}

// RoundTrip answers a request.
func (a *apiServer) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refuse != nil {
		if err := a.refuse(request); err != nil {
			return answer(request, nil, err)
		}
	}
	if request.URL.Query().Get("watch") == "true" {
		return a.watch(request)
	}
	object, err := a.serve(request, body)
	if request.Method != http.MethodGet && a.lost != nil && a.lost(request) {
		return nil, errors.New("connection reset by peer")
	}
	return answer(request, object, err)
}

func (a *apiServer) serve(request *http.Request, body []byte) (any, error) {
	parts := strings.Split(strings.TrimPrefix(request.URL.Path, "/"), "/")
	resource, name := "", ""
	for i, part := range parts {
		if part == "namespaces" && i+2 < len(parts) {
			resource = parts[i+2]
			name = strings.Join(parts[i+3:], "/")
		}
	}
	if request.Method == http.MethodPatch && !isDryRun(request) {
		a.writes = append(a.writes, resource)
	}
	switch {
	case resource == "events":
		return a.eventsOf(request)
	case request.Method == http.MethodGet && name == "":
		return a.list(resource), nil
	case resource == "deployments" && isApply(request):
		return a.applyDeployment(body, isDryRun(request))
	case resource == "deployments" && name == worldName && a.d != nil:
		if request.Method == http.MethodPatch {
			return a.patchDeployment(body, isDryRun(request))
		}
		return a.d, nil
	case resource == "replicasets" && a.setNamed(name) != nil:
		if request.Method == http.MethodPatch {
			return a.mergeSet(a.setNamed(name), body)
		}
		return a.setNamed(name), nil
	case resource == "pods" && strings.HasSuffix(name, "/log"):
		return json.RawMessage("listening\npanic: no database\n"), nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Group: "apps", Resource: resource}, name)
}

func isDryRun(request *http.Request) bool { return request.URL.Query().Get("dryRun") != "" }

func isApply(request *http.Request) bool {
	return request.Method == http.MethodPatch && request.Header.Get("Content-Type") == string(types.ApplyPatchType)
}

// applyDeployment is a server-side apply, of a manifest that names its containers whole. What is not there is made.
func (a *apiServer) applyDeployment(body []byte, dryRun bool) (any, error) {
	var manifest struct{ Metadata metav1.ObjectMeta }
	if err := json.Unmarshal(body, &manifest); err != nil {
		return nil, err
	}
	if version := manifest.Metadata.ResourceVersion; version != "" && (a.d == nil || version != a.d.ResourceVersion) {
		return nil, conflict("deployments", worldName)
	}
	document := []byte("{}")
	var err error
	if a.d != nil {
		if document, err = json.Marshal(a.d); err != nil {
			return nil, err
		}
	}
	if document, err = jsonpatch.MergePatch(document, body); err != nil {
		return nil, err
	}
	next := &appsv1.Deployment{}
	if err := json.Unmarshal(document, next); err != nil {
		return nil, err
	}
	switch {
	case dryRun:
		return json.RawMessage(document), nil // with the fields that this client does not know
	case a.d == nil:
		next.UID, next.ResourceVersion = a.uid("deployment"), a.version()
		a.d = next
	default:
		a.storeDeployment(next)
	}
	return next, nil
}

// eventsOf are the events of the object that is asked about.
func (a *apiServer) eventsOf(request *http.Request) (any, error) {
	_, uid, _ := strings.Cut(request.URL.Query().Get("fieldSelector"), "involvedObject.uid=")
	a.asked = append(a.asked, types.UID(uid))
	list := &corev1.EventList{}
	for _, event := range a.told {
		if string(event.InvolvedObject.UID) == uid {
			list.Items = append(list.Items, *event)
		}
	}
	return list, nil
}

func (a *apiServer) mergeSet(rs *appsv1.ReplicaSet, body []byte) (any, error) {
	document, err := json.Marshal(rs)
	if err != nil {
		return nil, err
	}
	if document, err = jsonpatch.MergePatch(document, body); err != nil {
		return nil, err
	}
	next := &appsv1.ReplicaSet{}
	if err := json.Unmarshal(document, next); err != nil {
		return nil, err
	}
	return a.storeSet(next)
}

// answer is what goes over the wire.
func answer(request *http.Request, object any, err error) (*http.Response, error) {
	code := http.StatusOK
	if err != nil {
		var status apierrors.APIStatus
		if !errors.As(err, &status) {
			return nil, err // the connection failed
		}
		said := status.Status()
		said.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
		object, code = said, int(said.Code)
	}
	body, isText := object.(json.RawMessage)
	if !isText {
		var err error
		if body, err = json.Marshal(object); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: code, Request: request, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": []string{"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
	}, nil
}
