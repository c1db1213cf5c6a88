package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/cli-runtime/pkg/resource"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/scheme"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// Selection holds the objects of a command line, named as in kubectl rollout: TYPE/NAME, TYPE NAME..., TYPE with or without
// a label selector, or files.
type Selection struct {
	Files    resource.FilenameOptions
	Selector string
}

// Add adds -f, -k and -l to a command.
func (s *Selection) Add(cmd *cobra.Command) {
	cmdutil.AddFilenameOptionFlags(cmd, &s.Files, "identifying the resource to get from a server.")
	cmdutil.AddLabelSelectorFlagVar(cmd, &s.Selector)
}

// Check returns an error if the command line names nothing.
func (s *Selection) Check(args []string) error {
	if len(args) == 0 && !s.InFiles() {
		return UsageError(fmt.Errorf("%w, or give it with -f FILE", errNothingNamed))
	}
	return nil
}

// Looking reads the objects for a command that only looks at workloads. It also returns an engine.
func (s *Selection) Looking(env *Env, args []string, output string) (*resource.Result, *rollout.Engine, error) {
	if err := s.Check(args); err != nil {
		return nil, nil, err
	}
	if output != "" && output != "json" {
		return nil, nil, FlagError("output", output, errors.New("expected json, or nothing for text"))
	}
	if err := env.CheckColor(); err != nil {
		return nil, nil, err
	}
	objects, err := s.Find(env, args)
	if err != nil {
		return nil, nil, err
	}
	engine, err := env.Engine(DefaultFieldManager, nil)
	return objects, engine, err
}

// Find reads the named objects from the API server. The result holds the objects that were found, and errors for the
// others.
func (s *Selection) Find(env *Env, args []string) (*resource.Result, error) {
	builder, err := s.builder(env, s.Selector)
	if err != nil {
		return nil, err
	}
	if s.InFiles() {
		builder = builder.Latest()
	}
	result := s.named(builder, args).Do()
	return result, result.Err()
}

func (s *Selection) builder(env *Env, selector string) (*resource.Builder, error) {
	namespace, enforce, err := env.Factory.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, err
	}
	return env.Factory.NewBuilder().
		WithScheme(scheme.Scheme, scheme.Scheme.PrioritizedVersionsAllGroups()...).
		NamespaceParam(namespace).DefaultNamespace().
		LabelSelectorParam(selector).
		FilenameParam(enforce, &s.Files).
		ContinueOnError().Flatten(), nil
}

// InFiles reports whether files name the objects.
func (s *Selection) InFiles() bool {
	return !cmdutil.IsFilenameSliceEmpty(s.Files.Filenames, s.Files.Kustomize)
}

// FindEach does the same, but its visitor also gets the objects that cannot be read, each with its error.
func (s *Selection) FindEach(env *Env, args []string) (resource.Visitor, error) {
	each := &eachNamed{read: resource.RetrieveLazy, matches: labels.Everything()}
	selector := s.Selector
	if s.InFiles() {
		// The selector applies to the objects of the API server, not to those in the files.
		var err error
		if each.matches, err = labels.Parse(selector); err != nil {
			return nil, fmt.Errorf("the provided selector %q is not valid: %w", selector, err)
		}
		each.read, selector = resource.RetrieveLatest, ""
	}
	builder, err := s.builder(env, selector)
	if err != nil {
		return nil, err
	}
	each.found = s.named(builder.RequireObject(false), args).Do()
	return each, each.found.Err()
}

// eachNamed visits the named objects, whether they can be read or not.
type eachNamed struct {
	found   *resource.Result
	read    resource.VisitorFunc
	matches labels.Selector
}

// Visit reads one object after the other.
func (e *eachNamed) Visit(visit resource.VisitorFunc) error {
	return e.found.Visit(func(info *resource.Info, err error) error {
		if err != nil {
			return err
		}
		if err = e.read(info, nil); err == nil {
			if object, is := info.Object.(metav1.Object); is && !e.matches.Matches(labels.Set(object.GetLabels())) {
				return nil
			}
		}
		return visit(info, err)
	})
}

// named adds the arguments to a builder. kubectl asks the API server whether a TYPE stands for several types. That is not
// necessary for the types of workloads.
func (s *Selection) named(builder *resource.Builder, args []string) *resource.Builder {
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
		return builder.ResourceTypes(types...).SelectAllParam(s.Selector == "")
	case len(types) == 1 && s.Selector == "":
		return builder.ResourceNames(types[0], args[1:]...)
	}
	return builder.ResourceTypeOrNameArgs(true, args...)
}

// NoneFound prints that no object was found, in kubectl's words. As in kubectl, that is no failure.
func (env *Env) NoneFound() error {
	namespace, err := env.CurrentNamespace()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(env.ErrOut, "No resources found in %s namespace.\n", namespace)
	return nil
}
