package app

import (
	"errors"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/completion"
)

var (
	errNegative     = errors.New("it must not be negative")
	errFieldManager = errors.New("expected a name of 1 to 128 characters")
	errNoRevision   = errors.New("unable to find the specified revision")
	// errNothingNamed begins with kubectl's own text.
	errNothingNamed = errors.New("required resource not specified; name it as TYPE/NAME or TYPE NAME")
)

// completeDeployment completes deployment/NAME and deployment NAME from the cluster.
func (env *environment) completeDeployment() cobra.CompletionFunc {
	return completion.SpecifiedResourceTypeAndNameNoRepeatCompletionFunc(env.factory, []string{"deployment"})
}

// completeWorkload completes TYPE/NAME and TYPE NAME of workloads from the cluster.
func (env *environment) completeWorkload() cobra.CompletionFunc {
	return completion.SpecifiedResourceTypeAndNameNoRepeatCompletionFunc(env.factory, []string{"deployment", "daemonset", "statefulset"})
}
