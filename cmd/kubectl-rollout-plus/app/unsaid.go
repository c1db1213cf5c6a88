package app

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

// Who can be done something to, for errors about an object that cannot.
const (
	onlyWorkloads   = "only Deployments, StatefulSets and DaemonSets have rollouts"
	onlyDeployments = "only Deployments are paused and resumed"
)

// unsaid adds to an error in kubectl's words which object it is about and what to do next. Those words stay the first,
// since scripts look for them.
func unsaid(err error, object printers.Object, next string) error {
	return more(err, ": "+object.InNamespace()+"; "+next)
}

// more adds to the text of an error. An answer of the API server stays one: kubectl has words of its own for it.
func more(err error, text string) error {
	answer, is := err.(*apierrors.StatusError) //nolint:errorlint // what it wraps does not count, as in kubectl
	if !is {
		return fmt.Errorf("%w%s", err, text)
	}
	told := answer.ErrStatus
	told.Message += text
	return &apierrors.StatusError{ErrStatus: told}
}

// badRevision refuses the number of a revision, in kubectl's words.
func badRevision(number int64) error {
	return fmt.Errorf("revision must be a positive integer: %d; '%s history --help' tells how to list the revisions", number, displayName)
}

// badTarget refuses the number of a revision to go back to, in kubectl's words.
func badTarget(number int64) error {
	return fmt.Errorf("unable to find specified revision %d in history; --to-revision takes the number of one, "+
		"or 0 for the one before; '%s history --help' tells how to list the revisions", number, displayName)
}

// located adds to what the API server says of objects that are not there in which namespace that is, and how to see those
// that are. Other errors stay as they are.
func located(err error, namespaceOf func(kind, name string) string) error {
	if several, is := err.(utilerrors.Aggregate); is { //nolint:errorlint // a list stays one, and where it was
		all := make([]error, 0, len(several.Errors()))
		for _, one := range several.Errors() {
			all = append(all, located(one, namespaceOf))
		}
		return utilerrors.NewAggregate(all)
	}
	answer, is := err.(*apierrors.StatusError) //nolint:errorlint // as in more
	if !is || !apierrors.IsNotFound(err) || answer.ErrStatus.Details == nil {
		return err
	}
	resources := answer.ErrStatus.Details.Kind
	if resources == "namespaces" {
		return more(err, "; 'kubectl get namespaces' lists those there are")
	}
	kind := workloadKind(resources) // other kinds may have no namespace
	if kind == "" || answer.ErrStatus.Details.Name == "" {
		return err
	}
	namespace := namespaceOf(kind, answer.ErrStatus.Details.Name)
	if namespace == "" {
		return err
	}
	return more(err, fmt.Sprintf(" in namespace %q; 'kubectl get %s -n %s' lists those there are", namespace, resources, namespace))
}

// located is the same of the objects that are named.
func (s *selection) located(env *environment, err error) error {
	return located(err, func(kind, name string) string {
		if s.inFiles() {
			return s.namespaceInFiles(env, kind, name)
		}
		namespace, unknown := env.currentNamespace()
		if unknown != nil {
			return ""
		}
		return namespace
	})
}

// namespaceInFiles reads the files once more for the namespace of an object, which kubectl's visitor does not give with the
// error. It is empty where they cannot be read again, or have the object in several.
func (s *selection) namespaceInFiles(env *environment, kind, name string) string {
	if slices.Contains(s.files.Filenames, "-") {
		return ""
	}
	builder, err := s.builder(env, "")
	if err != nil {
		return ""
	}
	namespaces := map[string]bool{}
	// Malformed files have been told of before.
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

// listsRevisions says where the revisions of an object are listed.
func listsRevisions(object printers.Object) string {
	return commandOn("history", object) + " lists the revisions"
}

// unpause says how to go on where an object is paused, and else how to see what it does.
func unpause(info *resource.Info) string {
	if d, is := info.Object.(*appsv1.Deployment); is && d.Spec.Paused {
		return commandOn("resume", objectIn(info)) + " resumes it"
	}
	return commandOn("status", objectIn(info)) + " shows its rollout"
}

// unchanged adds to a refusal to change an object, which has its name, where it is and what to do next.
func unchanged(err error, info *resource.Info, only string) error {
	next := only
	if _, is := info.Object.(*appsv1.Deployment); is {
		next = unpause(info)
	}
	if !info.Namespaced() {
		return more(err, "; "+next)
	}
	return more(err, fmt.Sprintf(" in namespace %q; %s", info.Namespace, next))
}
