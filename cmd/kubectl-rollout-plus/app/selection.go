package app

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/resource"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/scheme"
)

// selection is how the commands of kubectl rollout name their objects: TYPE/NAME, TYPE NAME..., TYPE with or without a
// label selector, and files.
type selection struct {
	files    resource.FilenameOptions
	selector string
}

func (s *selection) add(cmd *cobra.Command) {
	cmdutil.AddFilenameOptionFlags(cmd, &s.files, "identifying the resource to get from a server.")
	cmdutil.AddLabelSelectorFlagVar(cmd, &s.selector)
}

// check refuses a command line that names nothing.
func (s *selection) check(args []string) error {
	if len(args) == 0 && cmdutil.IsFilenameSliceEmpty(s.files.Filenames, s.files.Kustomize) {
		return usageError(errors.New("required resource not specified"))
	}
	return nil
}

// find reads the objects that are named from the API server. Those that are found come with errors about the others.
func (s *selection) find(env *environment, args []string) (*resource.Result, error) {
	namespace, enforce, err := env.factory.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, err
	}
	builder := env.factory.NewBuilder().
		WithScheme(scheme.Scheme, scheme.Scheme.PrioritizedVersionsAllGroups()...).
		NamespaceParam(namespace).DefaultNamespace().
		LabelSelectorParam(s.selector).
		FilenameParam(enforce, &s.files).
		ContinueOnError().Flatten()
	if !cmdutil.IsFilenameSliceEmpty(s.files.Filenames, s.files.Kustomize) {
		builder = builder.Latest()
	}
	result := s.named(builder, args).Do()
	return result, result.Err()
}

// named adds the arguments. kubectl asks the API server whether a TYPE stands for several; those that are known to be
// workloads need no such question.
func (s *selection) named(builder *resource.Builder, args []string) *resource.Builder {
	if len(args) == 0 || strings.Contains(strings.Join(args, ""), "/") {
		return builder.ResourceTypeOrNameArgs(true, args...)
	}
	types := resource.SplitResourceArgument(args[0])
	for _, argument := range types {
		if workloadKind(argument) == "" {
			return builder.ResourceTypeOrNameArgs(true, args...)
		}
	}
	switch {
	case len(args) == 1:
		return builder.ResourceTypes(types...).SelectAllParam(s.selector == "")
	case len(types) == 1 && s.selector == "":
		return builder.ResourceNames(types[0], args[1:]...)
	}
	return builder.ResourceTypeOrNameArgs(true, args...)
}
