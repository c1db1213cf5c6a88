//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script, whose files show command lines and what they answer. Each has a namespace of its
// own, and one more command: `exits CODE PROGRAM ARGS...`.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			test, ok := env.T().(testing.TB)
			if !ok {
				return fmt.Errorf("not a test: %T", env.T())
			}
			s := openSpace(test, env.WorkDir)
			env.Setenv("NAMESPACE", s.name)
			env.Setenv("KUBECONFIG", s.kubeconfig)
			env.Setenv("KUBECACHEDIR", env.WorkDir+"/cache")
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GOGC", gcPercent)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits runs a program that has to end with this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, not %d", code, want)
	}
}
