package cli

import (
	"errors"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/completion"
)

var (
	// ErrNegative refuses a negative number or time.
	ErrNegative     = errors.New("it must not be negative")
	errFieldManager = errors.New("expected a name of 1 to 128 characters")
	// ErrNoRevision begins with kubectl's own text.
	ErrNoRevision = errors.New("unable to find the specified revision")
	// errNothingNamed begins with kubectl's own text.
	errNothingNamed = errors.New("required resource not specified; name it as TYPE/NAME or TYPE NAME")
)

// CompleteDeployment completes deployment/NAME and deployment NAME from the cluster.
func (env *Env) CompleteDeployment() cobra.CompletionFunc {
	return completion.SpecifiedResourceTypeAndNameNoRepeatCompletionFunc(env.Factory, []string{"deployment"})
}

// CompleteWorkload completes TYPE/NAME and TYPE NAME of workloads from the cluster.
func (env *Env) CompleteWorkload() cobra.CompletionFunc {
	return completion.SpecifiedResourceTypeAndNameNoRepeatCompletionFunc(env.Factory, []string{"deployment", "daemonset", "statefulset"})
}
