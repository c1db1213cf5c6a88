package apiserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// canary is a value of a Secret.
const canary = "hushhushhush"

func encodedCanary() string { return base64.StdEncoding.EncodeToString([]byte(canary)) }

func TestLoggedBodies(t *testing.T) {
	t.Parallel()
	secret := `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"login"},"data":{"token":"` + encodedCanary() + `"},"stringData":{"token":"` + canary + `"}}`
	quoted, _ := json.Marshal(secret)
	yaml := `"kind: Secret\ndata:\n  token: ` + encodedCanary() + `\n"`
	for name, c := range map[string]struct{ path, body, want string }{
		"a Secret":            {"/api/v1/namespaces/shop/secrets/login", secret, "***"},
		"Secrets":             {"/api/v1/secrets", `{"kind":"SecretList","items":[` + secret + `]}`, "***"},
		"metadata":            {"/api/v1/namespaces/shop/secrets", `{"kind":"PartialObjectMetadataList","items":[{"metadata":{"annotations":{"x":` + string(quoted) + `}}}]}`, "***"},
		"a table":             {"/api/v1/namespaces/shop/secrets", `{"kind":"Table","rows":[{"object":` + secret + `}]}`, "***"},
		"a patch":             {"/api/v1/namespaces/shop/secrets/login", `[{"op":"add","path":"/data","value":{"token":"` + encodedCanary() + `"}}]`, "***"},
		"an apply":            {"/api/v1/namespaces/shop/secrets/login", "kind: Secret\ndata:\n  token: " + encodedCanary(), "***"},
		"a token":             {"/api/v1/namespaces/shop/serviceaccounts/a/token", `{"status":{"token":"` + canary + `"}}`, "***"},
		"elsewhere":           {"/apis/example.com/v1/things", `{"items":[{"spec":{"inner":` + secret + `}}]}`, `"kind":"Secret"`},
		"a list elsewhere":    {"/apis/example.com/v1/things", `{"kind":"SecretList","items":[{"data":{"token":"` + encodedCanary() + `"}}]}`, `"SecretList"`},
		"last applied":        {"/apis/apps/v1/deployments", `{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":` + string(quoted) + `}}}`, `Secret`},
		"last applied, YAML":  {"/apis/apps/v1/deployments", `{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":` + yaml + `}}}`, "***"},
		"another annotation":  {"/apis/apps/v1/deployments", `{"metadata":{"annotations":{"example.com/applied":` + string(quoted) + `}}}`, "example.com"},
		"an annotation, YAML": {"/apis/apps/v1/deployments", `{"metadata":{"annotations":{"example.com/applied":` + yaml + `}}}`, "example.com"},
		"protobuf":            {"/apis/apps/v1/deployments", "k8s\x00" + secret, "***"},
		"what is no Secret":   {"/api/v1/configmaps", `{"kind":"ConfigMap","data":{"color":"blue"}}`, `"blue"`},
	} {
		told := loggedBody(c.path, "application/json", []byte(c.body))
		if strings.Contains(told, canary) || strings.Contains(told, encodedCanary()) || !strings.Contains(told, c.want) {
			t.Errorf("%s: %s", name, told)
		}
	}
}

// At any level, libraries log no bodies, and this program none with values of Secrets.
func TestNoValueOfASecretIsLogged(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		kind, body := "ConfigMap", "not secret"
		if strings.Contains(r.URL.Path, "/secrets") {
			kind, body = "Secret", encodedCanary()
		}
		_, _ = w.Write([]byte(`{"apiVersion": "v1", "kind": "` + kind + `", "metadata": {"name": "login"}, "data": {"token": "` + body + `"}}`))
	}))
	t.Cleanup(server.Close)
	for level := 6; level <= 10; level++ {
		logs := &LogLevel{Level: level}
		config := &rest.Config{Host: server.URL}
		config.Wrap(logs.Traffic)
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		// As much as libraries are given at this level.
		ctx := klog.NewContext(t.Context(), funcr.New(func(prefix, args string) { all.WriteString(prefix + args + "\n") },
			funcr.Options{Verbosity: min(level, librariesLevel)}))
		secrets, secret := client.CoreV1().Secrets("shop"), &corev1.Secret{StringData: map[string]string{"token": canary}}
		for _, do := range []func(context.Context) error{
			func(ctx context.Context) error { _, err := secrets.Get(ctx, "login", metav1.GetOptions{}); return err },
			func(ctx context.Context) error {
				_, err := secrets.Create(ctx, secret, metav1.CreateOptions{})
				return err
			},
			func(ctx context.Context) error {
				_, err := secrets.Patch(ctx, "login", types.MergePatchType, []byte(`{"data":{"token":"`+encodedCanary()+`"}}`), metav1.PatchOptions{})
				return err
			},
			func(ctx context.Context) error { _, _ = secrets.List(ctx, metav1.ListOptions{}); return nil },
			func(ctx context.Context) error { _, err := secrets.Watch(ctx, metav1.ListOptions{}); return err },
			func(ctx context.Context) error {
				_, err := client.CoreV1().ConfigMaps("shop").Get(ctx, "login", metav1.GetOptions{})
				return err
			},
		} {
			if err := do(ctx); err != nil {
				t.Error(err)
			}
		}
		told := all.String()
		if strings.Contains(told, "hush") || strings.Contains(told, "aHVz") {
			t.Errorf("at %d: %s", level, told)
		}
		if shows := strings.Contains(told, "not secret"); shows != (level >= BodiesLevel) {
			t.Errorf("at %d the ConfigMap is shown: %v", level, shows)
		}
	}
}

// An answer is passed on as it came.
func TestTrafficPassesOn(t *testing.T) {
	t.Parallel()
	broken := io.ErrUnexpectedEOF
	next := roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{Body: io.NopCloser(io.MultiReader(strings.NewReader("{}"), failing{broken}))}, nil
	})
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	response, err := (&LogLevel{Level: 8}).Traffic(next).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); string(body) != "{}" || err != broken { //nolint:errorlint // this very one
		t.Errorf("%q, %v", body, err)
	}
}

func TestLibrariesLogNoBodies(t *testing.T) {
	t.Parallel()
	var set flag.FlagSet
	v, modules := set.String("v", "", ""), set.String("vmodule", "", "")
	level := &LogLevel{Libraries: set.Lookup("v").Value}
	for given, want := range map[string]string{"0": "0", "6": "6", "8": "7", "10": "7", "99": "7", "-1": "-1"} {
		if err := level.Set(given); err != nil || *v != want || level.String() != given {
			t.Errorf("-v %s: %s for libraries, %s for us, %v", given, *v, level, err)
		}
	}
	if level.Set("x") == nil {
		t.Error("-v x is taken")
	}
	for given, want := range map[string]string{"request=8,a=3": "request=7,a=3", "re*=99999999999999999999": "re*=7", "x= 10": "x=7", "": ""} {
		if err := (LogModules{set.Lookup("vmodule").Value}).Set(given); err != nil || *modules != want {
			t.Errorf("--vmodule %s: %s, %v", given, *modules, err)
		}
	}
}
