package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/rest/fake"
	"k8s.io/kubectl/pkg/scheme"
)

// patched is a Deployment that is written through this transport.
func patched(d *appsv1.Deployment, api http.RoundTripper) *resource.Info {
	info := infoOf(d, "Deployment")
	info.Client = &fake.RESTClient{
		NegotiatedSerializer: scheme.Codecs.WithoutConversion(), GroupVersion: appsv1.SchemeGroupVersion, Client: &http.Client{Transport: api},
	}
	return info
}

// TestACtrlCWhileADeploymentIsPaused comes when the API server has the write and has not answered.
func TestACtrlCWhileADeploymentIsPaused(t *testing.T) {
	t.Parallel()
	env := &environment{IOStreams: genericiooptions.NewTestIOStreamsDiscard()}
	for verb, adjust := range map[string]func(context.Context, *appsv1.Deployment, http.RoundTripper) error{
		"paused": func(ctx context.Context, d *appsv1.Deployment, api http.RoundTripper) error {
			a := newAdjuster()
			return pause(ctx, env, &a, patched(d, api))
		},
		"resumed": func(ctx context.Context, d *appsv1.Deployment, api http.RoundTripper) error {
			d.Spec.Paused = true
			return (&resumeFlags{adjuster: newAdjuster()}).resume(ctx, env, patched(d, api))
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		hangs := fake.CreateHTTPClient(func(request *http.Request) (*http.Response, error) {
			cancel(&InterruptError{Signal: os.Interrupt})
			<-request.Context().Done()
			return nil, request.Context().Err()
		})
		err := adjust(ctx, &appsv1.Deployment{
			TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"},
		}, hangs.Transport)
		want := `interrupted while deployment "web" was ` + verb + "; 'kubectl rollout-plus status deployment/web -n shop' shows whether it is"
		if err == nil || err.Error() != want || exitCode(err) != ExitInterrupt {
			t.Errorf("%s: got %v", verb, err)
		}
	}
}

// TestACtrlCWhileNobodyAnswers comes before anything is known of an object, where kubectl's libraries ask.
func TestACtrlCWhileNobodyAnswers(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"history", "status", "pause", "undo", "restart", "explain", "check"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
				cancel(&InterruptError{Signal: os.Interrupt})
				<-request.Context().Done()
			}))
			defer server.Close()
			code, out, errOut := callOn(ctx, t, server.URL, verb, "deployment/web")
			if code != ExitInterrupt || out != "" || !strings.HasSuffix(errOut, "interrupted before it had answered\n") {
				t.Errorf("exit code %d, out %q, err %q", code, out, errOut)
			}
		})
	}
}
