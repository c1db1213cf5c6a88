package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want int
	}{
		"any":               {errors.New("x"), 1},
		"usage":             {UsageError(errors.New("x")), 2},
		"usage, wrapped":    {fmt.Errorf("y: %w", UsageError(errors.New("x"))), 2},
		"option":            {&plan.OptionError{Option: "steps", Err: errors.New("x")}, 2},
		"timeout":           {fmt.Errorf("y: %w", rollout.ErrTimeout), 124},
		"Ctrl-C":            {&InterruptError{Signal: os.Interrupt}, 130},
		"SIGTERM":           {&InterruptError{Signal: syscall.SIGTERM}, 143},
		"a code of its own": {&Exit{Code: 5}, 5},
		"no rollout":        {rollout.ErrNoRollout, 1},
		"who knows":         {&rollout.UncertainError{Err: errors.New("x")}, 4},
		"who knows, Ctrl-C": {&rollout.UncertainError{Err: &InterruptError{Signal: os.Interrupt}}, 130},
	} {
		if got := CodeOf(test.err); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}

func TestOutcomeCode(t *testing.T) {
	t.Parallel()
	interrupt := error(&InterruptError{Signal: os.Interrupt})
	for outcome, want := range map[rollout.Outcome][2]int{
		rollout.Done:       {0, 0},
		rollout.Unchanged:  {0, 0},
		rollout.Planned:    {0, 0},
		rollout.RolledBack: {5, 0}, // to go back is what abort and undo are for
		rollout.Failed:     {4, 4},
		rollout.Overtaken:  {4, 4},
		rollout.Paused:     {6, 6},
		rollout.TimedOut:   {124, 124},
		rollout.Detached:   {130, 130},
		rollout.Deleted:    {1, 1},
		rollout.Errored:    {1, 1},
	} {
		result := &rollout.Result{Outcome: outcome}
		for i, goesBack := range []bool{false, true} {
			if got := OutcomeCode(result, interrupt, goesBack); got != want[i] {
				t.Errorf("%s (goes back: %v): got %d, want %d", outcome, goesBack, got, want[i])
			}
		}
	}
	if got := OutcomeCode(&rollout.Result{Outcome: rollout.Detached}, &InterruptError{Signal: syscall.SIGTERM}, false); got != 143 {
		t.Errorf("terminated: %d", got)
	}
}

func TestExitCodesTopicNamesThemAll(t *testing.T) {
	t.Parallel()
	text := NewExitCodesTopic().Long
	for _, code := range []int{ExitDone, ExitError, ExitUsage, ExitStanding, ExitRolledBack, ExitPaused, ExitUnfinished, ExitTimeout, ExitInterrupt, ExitTerminated} {
		if !strings.Contains(text, fmt.Sprintf("\n  %3d  ", code)) {
			t.Errorf("%d is not in the help topic", code)
		}
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	record := &rollout.Record{Step: 2, Plan: plan.Plan{Steps: plan.DefaultSteps()}}
	back := &rollout.Record{Step: 2, Plan: plan.Plan{Steps: plan.DefaultSteps()}, RollingBack: true}
	finding := &rollout.Finding{ID: "CrashLoopBackOff", Reason: "CrashLoopBackOff", Pod: "p", Container: "c", ExitCode: ptr.To[int32](1)}
	const (
		resume = "'kubectl rollout-plus resume deployment/web -n shop'"
		abort  = "'kubectl rollout-plus abort deployment/web -n shop'"
		status = "'kubectl rollout-plus status deployment/web -n shop'"
		goOn   = "; it stands still at step 2 of 4, " + resume + " goes on, " + abort + " goes back"
	)
	for name, test := range map[string]struct {
		result rollout.Result
		want   string
	}{
		"failed":      {rollout.Result{Outcome: rollout.Failed, Finding: finding, Standing: true, Record: record}, "the rollout failed: pod p, container c: CrashLoopBackOff (exit code 1)" + goOn},
		"rolled back": {rollout.Result{Outcome: rollout.RolledBack, Finding: finding, Record: record}, "the rollout failed and was rolled back: pod p, container c: CrashLoopBackOff (exit code 1); correct the new version and roll it out again"},
		"by another":  {rollout.Result{Outcome: rollout.RolledBack, Record: record}, "the rollout was rolled back"},
		"overtaken":   {rollout.Result{Outcome: rollout.Overtaken, Message: "somebody else", Standing: true, Record: record}, "the rollout was overtaken: somebody else" + goOn},
		"detached":    {rollout.Result{Outcome: rollout.Detached, Message: "interrupted", Standing: true, Record: record}, "interrupted" + goOn},
		"timed out":   {rollout.Result{Outcome: rollout.TimedOut, Message: "timed out", Standing: true, Record: record}, "timed out: --timeout passed" + goOn},
		"not stepped": {rollout.Result{Outcome: rollout.Failed, Finding: finding}, "the rollout failed: pod p, container c: CrashLoopBackOff (exit code 1); 'kubectl rollout-plus explain deployment/web -n shop' tells more"},
		"deleted":     {rollout.Result{Outcome: rollout.Deleted, Message: "the Deployment was deleted"}, "the Deployment was deleted; 'kubectl get deployments -n shop' lists those there are"},
		"paused": {
			rollout.Result{Outcome: rollout.Paused, Message: "the Deployment was paused", Standing: true, Record: record},
			"the Deployment was paused; it stands still at step 2 of 4, " + resume + " goes on, " + abort + " goes back",
		},
		"paused on its way back": {
			rollout.Result{Outcome: rollout.Paused, Message: "paused", Standing: true, Record: back},
			"paused; 'kubectl rollout resume deployment/web -n shop' lets it go on",
		},
		"interrupted on its way back": {
			rollout.Result{Outcome: rollout.Detached, Message: "interrupted", Standing: true, Record: back},
			"interrupted; the old version is returning, " + abort + " sees to it that it is complete",
		},
		"interrupted when the controller goes back": {
			rollout.Result{Outcome: rollout.Detached, Message: "interrupted", Record: record, Towards: rollout.RolledBack},
			"interrupted; the old version returns by itself, " + status + " shows it",
		},
		"interrupted at the end": {
			rollout.Result{Outcome: rollout.Detached, Message: "interrupted", Record: record, Towards: rollout.Done},
			"interrupted; the new version is completed by itself, " + status + " shows it",
		},
	} {
		if got, want := Sentence(printers.Deployment("shop", "web"), &test.result), `deployment "web" in namespace "shop": `+test.want; got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestTitles(t *testing.T) {
	t.Parallel()
	object := printers.Deployment("shop", "web")
	for outcome, want := range map[rollout.Outcome]string{
		rollout.Done:       "deployment.apps/web rolled out (revision 7) (server dry run)",
		rollout.RolledBack: "deployment.apps/web rolled back (revision 7) (server dry run)",
		rollout.Planned:    "deployment.apps/web rollout planned (server dry run)",
		rollout.Unchanged:  "deployment.apps/web unchanged: as it was (server dry run)",
		rollout.Failed:     "",
		rollout.Detached:   "",
	} {
		got := Verbs{Suffix: " (server dry run)"}.title(object, &rollout.Result{Outcome: outcome, Revision: 7, Message: "as it was"})
		if got != want {
			t.Errorf("%s: got %q, want %q", outcome, got, want)
		}
	}
}

func TestWithHint(t *testing.T) {
	t.Parallel()
	open := &rollout.OpenError{Kind: "deployment", Name: "web", Record: &rollout.Record{Step: 1, Plan: plan.Plan{Steps: plan.DefaultSteps()}}}
	err := WithHint(open, printers.Deployment("shop", "web"))
	if !errors.Is(err, open) || !strings.Contains(err.Error(), "(step 1 of 4); 'kubectl rollout-plus resume deployment/web -n shop' goes on") {
		t.Errorf("got %v", err)
	}
}

func TestTogether(t *testing.T) {
	t.Parallel()
	late, later := &Exit{Code: ExitTimeout, Err: errors.New("late")}, &Exit{Code: ExitTimeout, Err: errors.New("later")}
	for name, test := range map[string]struct {
		failures []error
		code     int
		text     string
	}{
		"none":       {[]error{nil, nil}, ExitDone, ""},
		"one":        {[]error{nil, late}, ExitTimeout, "error: late"},
		"alike":      {[]error{late, later}, ExitTimeout, "late\nlater"},
		"different":  {[]error{late, errors.New("x")}, ExitError, "late\nx"},
		"repeated":   {[]error{late, nil, late}, ExitTimeout, "error: late"},
		"aggregated": {[]error{utilerrors.NewAggregate([]error{late, errors.New("x")}), later}, ExitError, "late\nx\nlater"},
	} {
		err := Together(test.failures)
		if err == nil {
			if test.code != ExitDone {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		if code, text := CodeOf(err), ErrorText(err); code != test.code || text != test.text {
			t.Errorf("%s: code %d, %q", name, code, text)
		}
	}
}

// TestAnInterruptNamesWhatWasWaitedFor in one sentence.
func TestAnInterruptNamesWhatWasWaitedFor(t *testing.T) {
	t.Parallel()
	wait := func(signal os.Signal, names ...string) error {
		var all []error
		for _, name := range names {
			namespace, name, _ := strings.Cut(name, "/")
			all = append(all, WaitedFor(&InterruptError{Signal: signal}, printers.Deployment(namespace, name)))
		}
		return Together(all)
	}
	for want, err := range map[string]error{
		`terminated while waiting for deployment "web"; 'kubectl rollout-plus status deployment/web -n shop' waits on`: wait(syscall.SIGTERM, "shop/web"),
		`interrupted while waiting for deployment "web", deployment "api"; ` +
			`'kubectl rollout-plus status deployment/api -n other' and 'kubectl rollout-plus status deployment/web -n shop' wait on`: wait(os.Interrupt, "shop/web", "other/api"),
		`interrupted while waiting for deployment "a", deployment "b", deployment "c", deployment "d", deployment "e" and 2 more; ` +
			`'kubectl rollout-plus status deployment/a deployment/b deployment/c deployment/d deployment/e deployment/f deployment/g -n shop' waits on`: wait(os.Interrupt, "shop/a", "shop/b", "shop/c", "shop/d", "shop/e", "shop/f", "shop/g"),
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
	if got := CodeOf(wait(syscall.SIGTERM, "shop/web", "shop/api")); got != ExitTerminated {
		t.Errorf("exit code %d", got)
	}
	if other := errors.New("other"); !errors.Is(WaitedFor(other, printers.Deployment("shop", "web")), other) {
		t.Error("another error is changed")
	}
}

// TestWorkThatIsCutShort is told with the object that it was on, and other errors as they are.
func TestWorkThatIsCutShort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	other := errors.New("other")
	if err := CutShort(ctx, other, "while x"); !errors.Is(err, other) {
		t.Error(err)
	}
	cancel(&InterruptError{Signal: os.Interrupt})
	for _, err := range []error{context.Cause(ctx), fmt.Errorf("failed to patch: %w", context.Canceled)} {
		if got := CutShort(ctx, err, "while x"); got.Error() != "interrupted while x" || CodeOf(got) != ExitInterrupt {
			t.Errorf("%v: got %v", err, got)
		}
	}
	if err := CutShort(ctx, other, "while x"); err.Error() != "other" || CutShort(ctx, nil, "while x") != nil {
		t.Error(err)
	}
}
