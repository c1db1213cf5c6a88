// Package app runs the command line: it builds the tree of commands, and turns errors into texts and exit codes.
package app

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/stream"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
)

// Process holds what the operating system gives to a program.
type Process struct {
	Args        []string
	In          io.Reader
	Out, ErrOut io.Writer
	LookupEnv   func(string) (string, bool)
	Version     string
}

// completionPrefix begins the name that kubectl uses to ask a plugin for completions (kubectl 1.26 and later).
const completionPrefix = "kubectl_complete-"

// Main runs the command line and returns the exit code.
func Main(ctx context.Context, process Process) int {
	outLog, errLog := stream.NewBacklog(process.Out), stream.NewBacklog(process.ErrOut)
	out, errOut := printers.NewStream(outLog), printers.NewStream(errLog)
	outLog.Full = func() {
		_, _ = fmt.Fprintln(errOut, "standard output is not read; what it has no room for is left out, and the work goes on")
	}
	errLog.Gap = stream.Gap
	defer func() {
		out.Flush()
		errOut.Flush()
		outLog.Close(ctx)
		errLog.Close(ctx)
	}()
	streams := genericiooptions.IOStreams{In: process.In, Out: out, ErrOut: errOut}
	root := newRootCommand(process, streams, outLog, errLog) //nolint:contextcheck // cobra hands the context to the commands when they run
	args := process.Args[1:]
	if strings.HasPrefix(filepath.Base(process.Args[0]), completionPrefix) {
		args = append([]string{cobra.ShellCompRequestCmd}, args...)
	}
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return cli.ExitDone
	}
	if text := cli.ConnectionOf(root.PersistentFlags()).Text(cli.ErrorText(err)); text != "" {
		// kubectl's library uses the name of this program in a hint that is meant for kubectl.
		text = strings.ReplaceAll(text, "'"+filepath.Base(process.Args[0])+" get ", "'kubectl get ")
		_, _ = fmt.Fprint(errOut, strings.TrimSuffix(text, "\n")+"\n") // an error of this write cannot be reported anywhere
	}
	return cli.CodeOf(err)
}
