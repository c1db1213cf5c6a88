// Package compare shows how pod templates and contents of ConfigMaps and Secrets differ.
package compare

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	kubectldiff "k8s.io/kubectl/pkg/cmd/diff"
	"k8s.io/utils/exec"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
)

const (
	// exitDiffers is the exit code of diff and kubectl diff.
	exitDiffers = 1
	// ExitTrouble is the exit code of diff for an error.
	ExitTrouble = 2

	externalDiff = "KUBECTL_EXTERNAL_DIFF"
)

// InTrouble replaces exit code 1 of errors, since 1 means that something differs.
func InTrouble(err error) error {
	var status *cli.Exit
	if err == nil || errors.As(err, &status) {
		return err
	}
	if code := cli.CodeOf(err); code > exitDiffers {
		return &cli.Exit{Code: code, Err: err}
	}
	return &cli.Exit{Code: ExitTrouble, Err: err}
}

// Comparison is a pair of texts to compare, with the extension for their files.
type Comparison struct {
	From, To  printers.Text
	extension string
}

// Show prints the differences, and returns an error with exit code 1 if there are any.
func Show(env *cli.Env, all []Comparison) error {
	compare := func(c Comparison) (bool, error) { return printers.Diff(env.Out, env.Palette(env.Out), c.From, c.To) }
	if program, _ := env.LookupEnv(externalDiff); program != "" {
		compare = func(c Comparison) (bool, error) { return compareOutside(env, c) }
	}
	some := false
	for _, c := range all {
		differs, err := compare(c)
		if err != nil {
			return err
		}
		some = some || differs
	}
	if some {
		return &cli.Exit{Code: exitDiffers}
	}
	return nil
}

// compareOutside runs the program of KUBECTL_EXTERNAL_DIFF on two files, as kubectl diff does.
func compareOutside(env *cli.Env, c Comparison) (differs bool, err error) {
	// Only the owner may read the directory, since templates may hold secrets.
	dir, err := os.MkdirTemp("", "rollout-plus-diff-")
	if err != nil {
		return false, err
	}
	defer func() {
		if cleanup := os.RemoveAll(dir); cleanup != nil {
			err = cleanup
		}
	}()
	files := make([]string, 2)
	for i, text := range []printers.Text{c.From, c.To} {
		// Replace characters that some file systems do not accept.
		files[i] = filepath.Join(dir, strings.NewReplacer("/", ".", " ", "-").Replace(text.Name)+c.extension)
		if err := os.WriteFile(files[i], []byte(printers.Escape(string(text.Body))), 0o600); err != nil {
			return false, err
		}
	}
	// The program may colour its output. To decide that, it checks whether it writes to a terminal.
	streams := genericiooptions.IOStreams{In: env.In, Out: printers.Underlying(env.Out), ErrOut: printers.Underlying(env.ErrOut)}
	program := kubectldiff.DiffProgram{Exec: exec.New(), IOStreams: streams}
	err = program.Run(files[0], files[1])
	var exit exec.ExitError
	if errors.As(err, &exit) && exit.ExitStatus() == exitDiffers {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w; %s names the program", err, externalDiff)
	}
	return false, nil
}
