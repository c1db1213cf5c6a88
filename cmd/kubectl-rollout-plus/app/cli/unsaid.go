package cli

import (
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
)

// These texts say what a command supports, for errors about other objects.
const (
	OnlyWorkloads   = "only Deployments, StatefulSets and DaemonSets have rollouts"
	OnlyDeployments = "only Deployments are paused and resumed"
)

// Unsaid adds the object's name and what to do next to an error of kubectl's. kubectl's words stay first, since scripts
// search for them.
func Unsaid(err error, object printers.Object, next string) error {
	return More(err, ": "+object.InNamespace()+"; "+next)
}

// More adds text to an error. An API server's answer stays such an answer, since kubectl prints those in its own way.
func More(err error, text string) error {
	answer, is := err.(*apierrors.StatusError) //nolint:errorlint // what it wraps does not count, as in kubectl
	if !is {
		return fmt.Errorf("%w%s", err, text)
	}
	told := answer.ErrStatus
	told.Message += text
	return &apierrors.StatusError{ErrStatus: told}
}

// BadRevision returns the error for an invalid revision number, in kubectl's words.
func BadRevision(number int64) error {
	return fmt.Errorf("revision must be a positive integer: %d; '%s history --help' tells how to list the revisions", number, DisplayName)
}

// BadTarget returns the error for an invalid revision number to go back to, in kubectl's words.
func BadTarget(number int64) error {
	return fmt.Errorf("unable to find specified revision %d in history; --to-revision takes the number of one, "+
		"or 0 for the one before; '%s history --help' tells how to list the revisions", number, DisplayName)
}

// Located adds the namespace to "not found" answers of the API server, and the command that lists the existing objects. It
// returns other errors unchanged.
func Located(err error, namespaceOf func(kind, name string) string) error {
	if several, is := err.(utilerrors.Aggregate); is { //nolint:errorlint // a list stays one, and where it was
		all := make([]error, 0, len(several.Errors()))
		for _, one := range several.Errors() {
			all = append(all, Located(one, namespaceOf))
		}
		return utilerrors.NewAggregate(all)
	}
	answer, is := err.(*apierrors.StatusError) //nolint:errorlint // as in more
	if !is || !apierrors.IsNotFound(err) || answer.ErrStatus.Details == nil {
		return err
	}
	resources := answer.ErrStatus.Details.Kind
	if resources == "namespaces" {
		return More(err, "; 'kubectl get namespaces' lists those there are")
	}
	kind := workloadKind(resources) // other kinds may have no namespace
	if kind == "" || answer.ErrStatus.Details.Name == "" {
		return err
	}
	namespace := namespaceOf(kind, answer.ErrStatus.Details.Name)
	if namespace == "" {
		return err
	}
	return More(err, fmt.Sprintf(" in namespace %q; 'kubectl get %s -n %s' lists those there are", namespace, resources, namespace))
}

// Located does this for the errors of the selected objects.
func (s *Selection) Located(env *Env, err error) error {
	return Located(err, func(kind, name string) string {
		if s.InFiles() {
			return s.namespaceInFiles(env, kind, name)
		}
		namespace, unknown := env.CurrentNamespace()
		if unknown != nil {
			return ""
		}
		return namespace
	})
}

// namespaceInFiles reads the files again to find the namespace of an object, since kubectl's visitor does not return it
// with the error. It returns "" if the files cannot be read again, or have the object in several namespaces.
func (s *Selection) namespaceInFiles(env *Env, kind, name string) string {
	if slices.Contains(s.Files.Filenames, "-") {
		return ""
	}
	builder, err := s.builder(env, "")
	if err != nil {
		return ""
	}
	namespaces := map[string]bool{}
	// Errors of malformed files have been reported before.
	_ = builder.RequireObject(false).Do().Visit(func(info *resource.Info, err error) error {
		if err == nil && info.Name == name && info.Mapping.GroupVersionKind.Kind == kind {
			namespaces[info.Namespace] = true
		}
		return nil
	})
	if len(namespaces) != 1 {
		return ""
	}
	return slices.Collect(maps.Keys(namespaces))[0]
}

// ListsRevisions says which command lists the revisions of an object.
func ListsRevisions(object printers.Object) string {
	return CommandOn("history", object) + " lists the revisions"
}

// unpause says how to resume a paused object, or else how to see its rollout.
func unpause(info *resource.Info) string {
	if d, is := info.Object.(*appsv1.Deployment); is && d.Spec.Paused {
		return CommandOn("resume", ObjectIn(info)) + " resumes it"
	}
	return CommandOn("status", ObjectIn(info)) + " shows its rollout"
}

// Unchanged adds to an error about an unsupported change the object's namespace and what to do next. The error already
// names the object.
func Unchanged(err error, info *resource.Info, only string) error {
	next := only
	if _, is := info.Object.(*appsv1.Deployment); is {
		next = unpause(info)
	}
	if !info.Namespaced() {
		return More(err, "; "+next)
	}
	return More(err, fmt.Sprintf(" in namespace %q; %s", info.Namespace, next))
}
