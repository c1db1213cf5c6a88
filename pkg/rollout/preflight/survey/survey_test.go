package survey

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func TestNeeds(t *testing.T) {
	t.Parallel()
	named := func(name string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: name} }
	configMap := func(name string, keys ...string) *corev1.ConfigMapVolumeSource {
		source := &corev1.ConfigMapVolumeSource{LocalObjectReference: named(name)}
		for _, key := range keys {
			source.Items = append(source.Items, corev1.KeyToPath{Key: key})
		}
		return source
	}
	fromKey := func(name, key string, optional bool) corev1.EnvVar {
		return corev1.EnvVar{ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
			LocalObjectReference: named(name), Key: key, Optional: &optional,
		}}}
	}
	maybe := configMap("maybe")
	maybe.Optional = ptr.To(true)
	spec := &corev1.PodSpec{
		Volumes: []corev1.Volume{
			{Name: "files", VolumeSource: corev1.VolumeSource{ConfigMap: configMap("files", "a", "b")}},
			{Name: "files", VolumeSource: corev1.VolumeSource{ConfigMap: maybe}},
			{Name: "files", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "tls"}}},
			{Name: "not mounted", VolumeSource: corev1.VolumeSource{ConfigMap: configMap("not-needed")}},
			{Name: "not mounted", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}},
			{Name: "files", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: named("files"), Items: []corev1.KeyToPath{{Key: "c"}}}},
				{Secret: &corev1.SecretProjection{LocalObjectReference: named("token")}},
			}}}},
		},
		InitContainers: []corev1.Container{{Env: []corev1.EnvVar{fromKey("env", "x", false), fromKey("env", "y", true)}}},
		Containers: []corev1.Container{{
			EnvFrom: []corev1.EnvFromSource{
				{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: named("env")}},
				{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: named("tls")}},
			},
			VolumeMounts: []corev1.VolumeMount{{Name: "files"}},
		}},
	}
	var got []string
	for _, r := range needsOf(spec) {
		got = append(got, strings.TrimSpace(r.Kind+" "+r.Name+" "+strings.Join(r.Keys, ",")))
	}
	want := []string{"ConfigMap env x", "Secret tls", "ConfigMap files a,b,c", "PersistentVolumeClaim data", "Secret token"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// askedFor is what a test API server was asked for, by path, and in which form.
type askedFor struct {
	mu     sync.Mutex
	accept map[string]string
}

// surveyed looks at what pods of a template need, at an API server that has these objects.
func surveyed(t *testing.T, spec corev1.PodSpec, lean bool, objects map[string]string) (*preflight.Input, map[string]string) {
	t.Helper()
	asked := &askedFor{accept: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.mu.Lock()
		asked.accept[r.URL.Path] = r.Header.Get("Accept")
		asked.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		body, found := objects[strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/shop/")]
		switch {
		case !found:
			w.WriteHeader(http.StatusNotFound)
			body = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`
		case body == "":
			w.WriteHeader(http.StatusForbidden)
			body = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"not yours","code":403}`
		}
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	in := &preflight.Input{Workload: preflight.Workload{Namespace: "shop", Template: &corev1.PodTemplateSpec{Spec: spec}}}
	s := &survey{client: client, in: in, namespace: "shop"}
	s.references(t.Context(), lean)
	s.Wait()
	return in, asked.accept
}

const (
	metadata = `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"x"}}`
	account  = `{"kind":"ServiceAccount","apiVersion":"v1","imagePullSecrets":[{"name":"registry"},{"name":"gone"}]}`
)

func TestReferencesAreLookedFor(t *testing.T) {
	t.Parallel()
	volume := func(name string, keys ...corev1.KeyToPath) corev1.Volume {
		return corev1.Volume{VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: name}, Items: keys,
		}}}
	}
	spec := corev1.PodSpec{Volumes: []corev1.Volume{
		volume("plain"), volume("keyed", corev1.KeyToPath{Key: "a"}, corev1.KeyToPath{Key: "b"}, corev1.KeyToPath{Key: "c"}), volume("missing"),
		{VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "tls"}}},
		{VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}},
	}, Containers: []corev1.Container{{VolumeMounts: []corev1.VolumeMount{{Name: ""}}}}}
	in, asked := surveyed(t, spec, false, map[string]string{
		"configmaps/plain": metadata, "configmaps/keyed": `{"kind":"ConfigMap","apiVersion":"v1","data":{"a":""},"binaryData":{"b":""}}`,
		"secrets/tls": metadata, "persistentvolumeclaims/data": "", "serviceaccounts/default": account, "secrets/registry": metadata,
	})
	for _, r := range in.References.Items {
		missing, keys, denied := r.Name == "missing", r.Name == "keyed", r.Name == "data"
		if r.Missing != missing || (r.Err != nil) != denied || (len(r.MissingKeys) > 0) != keys || keys && r.MissingKeys[0] != "c" {
			t.Errorf("got %+v", r)
		}
	}
	if len(in.References.Items) != 6 {
		t.Errorf("got %+v", in.References)
	}
	if pull := in.PullSecrets.Items; len(pull) != 2 || pull[0].Missing || !pull[1].Missing {
		t.Errorf("pull secrets: %+v", in.PullSecrets)
	}
	for path, accept := range asked {
		whole := strings.HasSuffix(path, "/keyed") || strings.HasSuffix(path, "/default") || strings.HasSuffix(path, "/data")
		if !whole && accept != metadataOnly {
			t.Errorf("%s was asked for as %q", path, accept)
		}
	}
}

func TestPullSecrets(t *testing.T) {
	t.Parallel()
	own := corev1.PodSpec{ImagePullSecrets: []corev1.LocalObjectReference{{Name: "own"}, {}}}
	in, asked := surveyed(t, own, true, nil)
	if pull := in.PullSecrets.Items; len(pull) != 1 || !pull[0].Missing || len(asked) != 1 || len(in.References.Items) != 0 {
		t.Errorf("of the template: %+v, asked for %v", in.PullSecrets, asked)
	}
	// A rollout leaves the ServiceAccount that is there by default alone.
	if in, asked := surveyed(t, corev1.PodSpec{}, true, nil); len(asked) != 0 || !in.PullSecrets.More {
		t.Errorf("lean: asked for %v", asked)
	}
	if in, _ := surveyed(t, corev1.PodSpec{ServiceAccountName: "bot"}, true, map[string]string{"serviceaccounts/bot": ""}); in.PullSecrets.Err == nil || in.References.Items[0].Err == nil {
		t.Errorf("denied: %+v", in.PullSecrets)
	}
	if in, _ := surveyed(t, corev1.PodSpec{ServiceAccountName: "bot"}, true, nil); in.PullSecrets.Err != nil || !in.References.Items[0].Missing {
		t.Errorf("no account: %+v %+v", in.PullSecrets, in.References)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	denied := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no"))
	for name, test := range map[string]struct {
		pages   int
		failsAt int
		read    int
		more    bool
		err     bool
	}{
		"one":                    {pages: 1, read: 1},
		"as many as are allowed": {pages: 3, read: 3},
		"more than that":         {pages: 4, read: 3, more: true},
		"not allowed":            {pages: 2, failsAt: 1, err: true},
		"breaks off":             {pages: 3, failsAt: 2, read: 1, more: true},
	} {
		asked, read := 0, 0
		more, err := pages(t.Context(), metav1.ListOptions{FieldSelector: "a=b"}, 3, func(_ context.Context, options metav1.ListOptions) (*corev1.PodList, error) {
			asked++
			list := &corev1.PodList{}
			if asked == test.failsAt {
				return list, denied
			}
			if options.Limit != mostListed || options.FieldSelector != "a=b" || (options.Continue == "") != (asked == 1) {
				t.Errorf("%s: asked with %+v", name, options)
			}
			if asked < test.pages {
				list.Continue = "more"
			}
			return list, nil
		}, func(*corev1.PodList) { read++ })
		if read != test.read || more != test.more || (err != nil) != test.err {
			t.Errorf("%s: read %d, more %v, %v", name, read, more, err)
		}
	}
}

func TestRightsFor(t *testing.T) {
	t.Parallel()
	for kind, test := range map[string]struct {
		workload       workload.Object
		needed, others []string
	}{
		"deployment": {
			&appsv1.Deployment{},
			[]string{
				"get deployments", "list deployments", "watch deployments", "patch deployments",
				"get replicasets", "list replicasets", "watch replicasets", "list pods", "watch pods",
			},
			[]string{"patch replicasets", "get pods/log", "list events"},
		},
		"statefulset": {
			&appsv1.StatefulSet{},
			[]string{"get statefulsets", "patch statefulsets", "list controllerrevisions"},
			[]string{"list statefulsets", "watch statefulsets", "list pods", "watch pods", "delete pods", "get pods/log", "list events"},
		},
		"daemonset": {
			&appsv1.DaemonSet{},
			[]string{"get daemonsets", "patch daemonsets", "list controllerrevisions"},
			[]string{"list daemonsets", "watch daemonsets", "list pods", "watch pods", "get pods/log", "list events"},
		},
	} {
		var needed, others []string
		for _, right := range rightsFor(test.workload) {
			if right.Needed {
				needed = append(needed, right.String())
			} else {
				others = append(others, right.String())
			}
		}
		if !slices.Equal(needed, test.needed) || !slices.Equal(others, test.others) {
			t.Errorf("%s: %q and %q", kind, needed, others)
		}
	}
}
