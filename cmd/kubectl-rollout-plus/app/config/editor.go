package config

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/term"
	"k8s.io/kubectl/pkg/cmd/util/editor"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
)

// fileOf writes a text into a new temporary file for an editor, and returns its path.
func fileOf(text []byte) (string, error) {
	file, err := os.CreateTemp("", "rollout-plus-*.yaml")
	if err != nil {
		return "", err
	}
	_, err = file.Write(text)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(file.Name()) // nobody has seen it yet
		return "", err
	}
	return file.Name(), nil
}

// launch opens a file with the user's editor and waits until it ends. kubectl's own launcher would end the program at a
// Ctrl-C that is meant for the editor (ed and sed take one). Then nobody would learn where the file is.
func launch(path string, out io.Writer) error {
	open := editor.NewDefaultEditor([]string{"KUBE_EDITOR", "EDITOR"})
	if runtime.GOOS == "windows" { // Windows has its own rules for quoting
		return open.Launch(path)
	}
	args := slices.Clone(open.Args)
	if open.Shell {
		args[len(args)-1] += fmt.Sprintf(" %q", path)
	} else {
		args = append(args, path)
	}
	command := exec.Command(args[0], args[1:]...) // the user's own editor, which ends by itself
	// An editor talks to the terminal itself.
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, printers.Underlying(out), os.Stderr
	input := int(os.Stdin.Fd())
	if state, err := term.GetState(input); err == nil { // a failing editor may leave the terminal in disorder
		defer func() { _ = term.Restore(input, state) }()
	}
	// The first Ctrl-C ends the command, but only after the editor. Without this, a second one would end it before.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(open.Args, " "), err)
	}
	return nil
}
