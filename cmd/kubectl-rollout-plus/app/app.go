// Package app holds the commands of kubectl rollout-plus: a file each, from flags to typed values to exit codes.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/tools/clientcmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

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
	outLog, errLog := newBacklog(process.Out), newBacklog(process.ErrOut)
	out, errOut := printers.NewStream(outLog), printers.NewStream(errLog)
	outLog.full = func() {
		_, _ = fmt.Fprintln(errOut, "standard output is not read; what it has no room for is left out, and the work goes on")
	}
	errLog.gap = unread
	defer func() {
		out.Flush()
		errOut.Flush()
		outLog.close(ctx)
		errLog.close(ctx)
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
		return ExitDone
	}
	if text := connectionOf(root.PersistentFlags()).Text(errorText(err)); text != "" {
		// kubectl's library uses the name of this program in a hint that is meant for kubectl.
		text = strings.ReplaceAll(text, "'"+filepath.Base(process.Args[0])+" get ", "'kubectl get ")
		_, _ = fmt.Fprint(errOut, strings.TrimSuffix(text, "\n")+"\n") // an error of this write cannot be reported anywhere
	}
	return exitCode(err)
}

// errorText returns the text of an error in kubectl's form (checkErr in its cmd/util). It returns "" if the error has been
// printed already.
func errorText(err error) string {
	var status *exitError
	if errors.As(err, &status) {
		if err = status.err; err == nil {
			return ""
		}
	}
	// As in kubectl, only the error itself counts, not the errors it wraps. A list of one error counts as that error.
	if several, is := err.(utilerrors.Aggregate); is && len(several.Errors()) == 1 { //nolint:errorlint // see above
		err = several.Errors()[0]
	}
	if several, is := err.(utilerrors.Aggregate); is { //nolint:errorlint // see above
		return strings.TrimSuffix(cmdutil.MultipleErrors("", several.Errors()), "\n")
	}
	if clientcmd.IsConfigurationInvalid(err) {
		return badConfiguration(err)
	}
	text, standard := cmdutil.StandardErrorMessage(err)
	if standard {
		return text
	}
	return "error: " + strings.TrimPrefix(err.Error(), "error: ")
}

// badConfiguration describes an invalid kubeconfig in kubectl's words. It adds how to list the contexts if one was not
// found.
func badConfiguration(err error) string {
	text := strings.TrimSuffix(cmdutil.MultilineError("Error in configuration: ", err), "\n")
	if clientcmd.IsContextNotFound(err) {
		text += "; 'kubectl config get-contexts' lists those there are"
	}
	return text
}
