package wait

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/polymorphichelpers"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

func followed(err error) error {
	return &pendingError{&statusTarget{object: printers.Deployment("shop", "web"), err: err}}
}

// TestWhatComesOfSeveral puts the errors in the order of the objects and chooses the exit code.
func TestWhatComesOfSeveral(t *testing.T) {
	t.Parallel()
	missing, failed := errors.New("not found"), &cli.Exit{Code: cli.ExitStanding, Err: errors.New("crash")}
	late := fmt.Errorf("%w: web", rollout.ErrTimeout)
	interrupt := &cli.InterruptError{Signal: os.Interrupt}
	waited := func(name string) error { return followed(cli.WaitedFor(interrupt, printers.Deployment("shop", name))) }
	for name, test := range map[string]struct {
		errs []error
		code int
		text string
	}{
		"none":                  {nil, 0, ""},
		"done":                  {[]error{followed(nil), followed(nil)}, 0, ""},
		"one of several":        {[]error{followed(nil), followed(failed)}, 4, "error: crash"},
		"missing and failed":    {[]error{missing, followed(failed)}, 4, "not found\ncrash"},
		"failed and missing":    {[]error{followed(failed), missing}, 4, "crash\nnot found"},
		"late and missing":      {[]error{followed(late), missing}, 1, "timed out waiting for the condition: web\nnot found"},
		"late":                  {[]error{followed(late)}, 124, "error: timed out waiting for the condition: web"},
		"unfinished and paused": {[]error{&cli.Exit{Code: 7, Err: missing}, followed(&cli.Exit{Code: 6, Err: missing})}, 6, "not found\nnot found"},
		"unfinished and late":   {[]error{&cli.Exit{Code: 7, Err: missing}, followed(late)}, 124, "not found\ntimed out waiting for the condition: web"},
		"interrupted": {
			[]error{waited("web"), missing, waited("api")}, 130, "interrupted while waiting for deployment \"web\", deployment \"api\"; " +
				"'kubectl rollout-plus status deployment/web deployment/api -n shop' waits on\nnot found",
		},
		"in a list": {[]error{missing, utilerrors.NewAggregate([]error{followed(nil), followed(failed)})}, 4, "not found\ncrash"},
	} {
		err := settled(utilerrors.NewAggregate(test.errs))
		code, text := 0, ""
		if err != nil {
			code, text = cli.CodeOf(err), cli.ErrorText(err)
		}
		if code != test.code || text != test.text {
			t.Errorf("%s: got %d, %q", name, code, text)
		}
	}
}

func TestOnDeleteIsSaid(t *testing.T) {
	t.Parallel()
	if got := onDelete(`daemonset "a"`, workload.PodCounts{Updated: 2, Total: 5}); got !=
		`daemonset "a" has strategy OnDelete: 2 of 5 pods run its newest revision, the others are replaced when you delete them` {
		t.Error(got)
	}
	if got := onDelete(`daemonset "a"`, workload.PodCounts{Updated: 5, Total: 5}); !strings.HasSuffix(got, "all 5 pods run its newest revision") {
		t.Error(got)
	}
}

func TestWayBack(t *testing.T) {
	t.Parallel()
	for revision, want := range map[string]string{
		"1": "; 'kubectl rollout-plus explain deployment/web -n shop' tells more", "2": "; 'kubectl rollout-plus undo deployment/web -n shop' goes back",
	} {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{workload.RevisionAnnotation: revision}}}
		target := &statusTarget{object: printers.Deployment("shop", "web"), view: rollout.Glance(d)}
		if got := target.wayBack(t.Context()); got != want {
			t.Errorf("revision %s: got %q", revision, got)
		}
	}
}

// Who waits after a change believes success once it has settled; status tells it as soon as kubectl does.
func TestSuccessThatHasYetToSettle(t *testing.T) {
	t.Parallel()
	set := &appsv1.StatefulSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"}, ObjectMeta: metav1.ObjectMeta{Name: "db", Generation: 1},
		Spec: appsv1.StatefulSetSpec{UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType}},
	}
	set.Status = appsv1.StatefulSetStatus{ObservedGeneration: 1, Replicas: 1, ReadyReplicas: 1, AvailableReplicas: 1, UpdatedReplicas: 1, CurrentRevision: "a", UpdateRevision: "a"}
	viewer, err := polymorphichelpers.StatusViewerFor(cli.KindOf(set).GroupKind())
	if err != nil {
		t.Fatal(err)
	}
	for settles, want := range map[bool]bool{false: true, true: false} {
		run := &statusRun{StatusFlags: &StatusFlags{Watch: true}, env: &cli.Env{IOStreams: genericiooptions.NewTestIOStreamsDiscard()}, settles: settles}
		target := &statusTarget{statusRun: run, viewer: viewer, workload: set, object: cli.ObjectOf(set)}
		view := rollout.Glance(set)
		if view.Settling = true; view.Phase != workload.Complete {
			t.Fatal(view.Phase)
		}
		if enough, err := target.judge(t.Context(), view); enough != want || err != nil {
			t.Errorf("enough %v, %v", enough, err)
		}
		view.Settling = false
		if enough, err := target.judge(t.Context(), view); !enough || err != nil {
			t.Errorf("settled: enough %v, %v", enough, err)
		}
	}
}

// A failure is told as a whole before the error that the command ends with; as JSON it is part of the document.
func TestAFailureIsToldWithEvidenceAndWhatToRun(t *testing.T) {
	t.Parallel()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}}
	viewer, err := polymorphichelpers.StatusViewerFor(cli.KindOf(d).GroupKind())
	if err != nil {
		t.Fatal(err)
	}
	const told = `failed: pod web-1, container app: LivenessProbeFailed: the container was killed
         evidence: Liveness probe failed: HTTP probe failed with statuscode: 500
         | shutting down
         next: kubectl describe pod web-1 -n shop
`
	for _, output := range []string{"", "json"} {
		streams, _, _, errOut := genericiooptions.NewTestIOStreams()
		run := &statusRun{StatusFlags: &StatusFlags{Watch: true, Output: output}, env: &cli.Env{IOStreams: streams}}
		run.env.LookupEnv = func(string) (string, bool) { return "", false }
		target := &statusTarget{statusRun: run, viewer: viewer, workload: d, object: cli.ObjectOf(d)}
		view := rollout.Glance(d)
		view.Outcome, view.Phase, view.Finding = rollout.Failed, workload.PhaseFailed, &rollout.Finding{
			ID: diagnose.LivenessProbeFailed, Severity: diagnose.Fatal, Message: "the container was killed", Pod: "web-1", Container: "app",
			Evidence: []string{"Liveness probe failed: HTTP probe failed with statuscode: 500"}, Logs: []string{"shutting down"},
			Remedy: []string{"kubectl describe pod web-1 -n shop"},
		}
		enough, err := target.see(t.Context(), view)
		if !enough || cli.CodeOf(err) != cli.ExitStanding {
			t.Errorf("enough %v, %v", enough, err)
		}
		if got := errOut.String(); output == "" && got != told || output != "" && got != "" {
			t.Errorf("-o %q: got %s", output, got)
		}
	}
}

// Kubectl has no status for a StatefulSet with strategy Recreate: whoever waits goes by its phase, and status says what it is.
func TestAStatefulSetThatRecreates(t *testing.T) {
	t.Parallel()
	set := &appsv1.StatefulSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"}, ObjectMeta: metav1.ObjectMeta{Name: "db", Namespace: "shop", Generation: 1},
		Spec: appsv1.StatefulSetSpec{UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.RecreateStatefulSetStrategyType}},
	}
	viewer, err := polymorphichelpers.StatusViewerFor(cli.KindOf(set).GroupKind())
	if err != nil {
		t.Fatal(err)
	}
	target := func(settles bool) *statusTarget {
		run := &statusRun{StatusFlags: &StatusFlags{Watch: true}, env: &cli.Env{IOStreams: genericiooptions.NewTestIOStreamsDiscard()}, settles: settles}
		return &statusTarget{statusRun: run, viewer: viewer, workload: set, object: cli.ObjectOf(set)}
	}
	for updated, want := range map[int32]bool{0: false, 1: true} {
		set.Status = appsv1.StatefulSetStatus{ObservedGeneration: 1, Replicas: 1, ReadyReplicas: 1, AvailableReplicas: 1, UpdatedReplicas: updated}
		if enough, err := target(true).judge(t.Context(), rollout.Glance(set)); enough != want || err != nil {
			t.Errorf("%d updated: enough %v, %v", updated, enough, err)
		}
	}
	const refused = `rollout status is only available for RollingUpdate strategy type: statefulset "db" in namespace "shop"; it has strategy Recreate, ` +
		`and 'kubectl rollout-plus explain statefulset/db -n shop' tells how its pods are`
	if _, err := target(false).judge(t.Context(), rollout.Glance(set)); err == nil || err.Error() != refused {
		t.Errorf("got %v", err)
	}
}
