package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// TestNoValueOfASecretIsLogged logs all there is.
func TestNoValueOfASecretIsLogged(t *testing.T) {
	t.Parallel()
	const value, encoded = "hushhushhush", "aHVzaGh1c2hodXNo"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "data": {"token": "` + encoded + `"}}`))
	}))
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	logged := func(do func(context.Context)) string {
		var all strings.Builder
		do(klog.NewContext(t.Context(), funcr.New(func(prefix, args string) { all.WriteString(prefix + args + "\n") }, funcr.Options{Verbosity: 10})))
		return all.String()
	}
	secrets, secret := secretsOf(client, "shop"), &corev1.Secret{StringData: map[string]string{"token": value}}
	for name, do := range map[string]func(context.Context) error{
		"get": func(ctx context.Context) error { _, err := secrets.Get(ctx, "login", metav1.GetOptions{}); return err },
		"create": func(ctx context.Context) error {
			_, err := secrets.Create(ctx, secret, metav1.CreateOptions{})
			return err
		},
		"patch": func(ctx context.Context) error {
			_, err := secrets.Patch(ctx, "login", types.MergePatchType, []byte(`{"data":{"token":"`+encoded+`"}}`), metav1.PatchOptions{})
			return err
		},
		"list":  func(ctx context.Context) error { _, _ = secrets.List(ctx, metav1.ListOptions{}); return nil },
		"watch": func(ctx context.Context) error { _, err := secrets.Watch(ctx, metav1.ListOptions{}); return err },
	} {
		all := logged(func(ctx context.Context) {
			if err := do(ctx); err != nil {
				t.Error(err)
			}
		})
		if strings.Contains(all, "hush") || strings.Contains(all, "aHVz") {
			t.Errorf("%s: %s", name, all)
		}
	}
	// Informers may watch with a log that goes nowhere.
	if logger := klog.FromContext(withoutBodies(klog.NewContext(t.Context(), logr.Discard()))); logger.Enabled() {
		t.Error("something is logged where nothing was to be")
	}
	plain := logged(func(ctx context.Context) {
		_, _ = client.CoreV1().Secrets("shop").Get(ctx, "login", metav1.GetOptions{})
	})
	if !strings.Contains(plain, encoded) {
		t.Errorf("this is no proof, since nothing else is logged either: %q", plain)
	}
}
