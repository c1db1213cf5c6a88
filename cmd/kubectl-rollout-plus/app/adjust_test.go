package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/rest/fake"
	"k8s.io/kubectl/pkg/scheme"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/adjust"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/pause"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/resume"
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
	env := &cli.Env{IOStreams: genericiooptions.NewTestIOStreamsDiscard()}
	for verb, adjust := range map[string]func(context.Context, *appsv1.Deployment, http.RoundTripper) error{
		"paused": func(ctx context.Context, d *appsv1.Deployment, api http.RoundTripper) error {
			a := adjust.NewAdjuster()
			return pause.Pause(ctx, env, &a, patched(d, api))
		},
		"resumed": func(ctx context.Context, d *appsv1.Deployment, api http.RoundTripper) error {
			d.Spec.Paused = true
			return (&resume.Flags{Adjuster: adjust.NewAdjuster()}).Resume(ctx, env, patched(d, api))
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		hangs := fake.CreateHTTPClient(func(request *http.Request) (*http.Response, error) {
			cancel(&cli.InterruptError{Signal: os.Interrupt})
			<-request.Context().Done()
			return nil, request.Context().Err()
		})
		err := adjust(ctx, &appsv1.Deployment{
			TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"},
		}, hangs.Transport)
		want := `interrupted while deployment "web" was ` + verb + "; 'kubectl rollout-plus status deployment/web -n shop' shows whether it is"
		if err == nil || err.Error() != want || cli.CodeOf(err) != cli.ExitInterrupt {
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
				cancel(&cli.InterruptError{Signal: os.Interrupt})
				<-request.Context().Done()
			}))
			defer server.Close()
			code, out, errOut := callOn(ctx, t, server.URL, verb, "deployment/web")
			if code != cli.ExitInterrupt || out != "" || !strings.HasSuffix(errOut, "interrupted before it had answered\n") {
				t.Errorf("exit code %d, out %q, err %q", code, out, errOut)
			}
		})
	}
}

// served is a Deployment that an API server has, which somebody else pauses whenever a write that is old by then arrives.
type served struct {
	d      *appsv1.Deployment
	writes int
}

func (s *served) answer(request *http.Request) (*http.Response, error) {
	code, object := http.StatusOK, any(s.d)
	if request.Method == http.MethodPatch {
		var patch struct{ Metadata metav1.ObjectMeta }
		if err := json.NewDecoder(request.Body).Decode(&patch); err != nil {
			return nil, err
		}
		if s.writes++; s.writes == 1 {
			s.d = s.d.DeepCopy()
			version, _ := strconv.Atoi(s.d.ResourceVersion)
			s.d.ResourceVersion, s.d.Spec.Paused = strconv.Itoa(version+1), true
		}
		if object = any(s.d); patch.Metadata.ResourceVersion != s.d.ResourceVersion {
			code = http.StatusConflict
			object = &metav1.Status{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Reason: metav1.StatusReasonConflict, Code: http.StatusConflict,
			}
		}
	}
	body, err := json.Marshal(object)
	return &http.Response{
		StatusCode: code, Header: http.Header{"Content-Type": []string{"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
	}, err
}

// What was checked of an object holds for that one alone: what it has become meanwhile is checked, too.
func TestAnAdjustmentIsCheckedAgainAfterAConflict(t *testing.T) {
	t.Parallel()
	errNot := errors.New("not now")
	for name, test := range map[string]struct {
		refused bool
		writes  int
	}{"refused": {true, 1}, "still right": {false, 2}} {
		d := &appsv1.Deployment{
			TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", ResourceVersion: "1"},
		}
		s := &served{d: d}
		info := &resource.Info{
			Namespace: "shop", Name: "web", Object: d,
			Mapping: &meta.RESTMapping{
				Resource: appsv1.SchemeGroupVersion.WithResource("deployments"), GroupVersionKind: appsv1.SchemeGroupVersion.WithKind("Deployment"),
				Scope: meta.RESTScopeNamespace,
			},
			Client: &fake.RESTClient{
				GroupVersion: appsv1.SchemeGroupVersion, NegotiatedSerializer: scheme.Codecs.WithoutConversion(), Client: fake.CreateHTTPClient(s.answer),
			},
		}
		a := adjust.NewAdjuster()
		var seen []bool
		err := a.Adjust(t.Context(), info, adjust.Adjustment{
			Check: func() error {
				paused := info.Object.(*appsv1.Deployment).Spec.Paused //nolint:forcetypeassert // a test
				seen = append(seen, paused)
				if paused && test.refused {
					return errNot
				}
				return nil
			},
			Mutate: func(object runtime.Object) ([]byte, error) {
				return runtime.Encode(scheme.DefaultJSONEncoder(), object)
			},
		})
		if errors.Is(err, errNot) != test.refused || !test.refused && err != nil {
			t.Errorf("%s: got %v", name, err)
		}
		if s.writes != test.writes || len(seen) != 2 || seen[0] || !seen[1] {
			t.Errorf("%s: %d writes, checked when paused: %v", name, s.writes, seen)
		}
	}
}
