package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// ReadFile reads the file that -f names, or standard input.
func (env *Env) ReadFile(filename string) ([]byte, error) {
	if filename == "-" {
		return io.ReadAll(env.In)
	}
	return os.ReadFile(filename)
}

// ReadWorkload reads the manifest of one Deployment, StatefulSet or DaemonSet, in YAML or JSON.
func (env *Env) ReadWorkload(filename string) (*unstructured.Unstructured, error) {
	text, err := env.ReadFile(filename)
	if err != nil {
		return nil, FlagError("filename", filename, err)
	}
	manifest, err := OnlyObject(text)
	if err != nil {
		return nil, FlagError("filename", filename, err)
	}
	if manifest.GetAPIVersion() != "apps/v1" || workload.New(manifest.GetKind()) == nil || manifest.GetName() == "" {
		return nil, FlagError("filename", filename, fmt.Errorf(
			"expected the manifest of one Deployment, StatefulSet or DaemonSet (apps/v1) with a name, found kind %q, apiVersion %q, name %q",
			manifest.GetKind(), manifest.GetAPIVersion(), manifest.GetName()))
	}
	if isOfOpenRollout(manifest) {
		return nil, FlagError("filename", filename, fmt.Errorf("the manifest of %s %q was read from a cluster while a rollout was open: "+
			"%s; read it again, or give it its own and remove annotation %s",
			strings.ToLower(manifest.GetKind()), manifest.GetName(), borrowedIn(manifest), rollout.Annotation))
	}
	// The API server fills in these fields, so the user did not ask for them. It would refuse an apply with them.
	unstructured.RemoveNestedField(manifest.Object, "status")
	for _, field := range []string{"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"} {
		unstructured.RemoveNestedField(manifest.Object, "metadata", field)
	}
	return manifest, nil
}

// borrowedIn says which fields of a manifest a rollout has borrowed.
func borrowedIn(manifest *unstructured.Unstructured) string {
	if workload.Of(workload.New(manifest.GetKind())).HasReplicaSets {
		return "its strategy, minReadySeconds and progressDeadlineSeconds are not its own"
	}
	return "its updateStrategy is not its own"
}

// isOfOpenRollout reports whether a manifest has fields that a workload has only while its rollout is open.
func isOfOpenRollout(manifest *unstructured.Unstructured) bool {
	_, recorded := manifest.GetAnnotations()[rollout.Annotation]
	seconds, _, _ := unstructured.NestedNumberAsFloat64(manifest.Object, "spec", "minReadySeconds") // the API server refuses non-numbers
	return recorded || seconds == rollout.GateMinReadySeconds
}

// ErrManyObjects refuses a file with several objects.
var ErrManyObjects = errors.New("there is more than one object in it; give a file with the one alone")

// OnlyObject reads the one object of a file; empty documents do not count.
func OnlyObject(text []byte) (*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	only := &unstructured.Unstructured{}
	for {
		var object map[string]any
		err := decoder.Decode(&object)
		switch {
		case errors.Is(err, io.EOF):
			return only, nil
		case err != nil:
			return nil, err
		case len(object) == 0:
		case only.Object != nil:
			return nil, ErrManyObjects
		default:
			only.Object = object
		}
	}
}

// MatchManifest returns the arguments that name the manifest's workload. It returns an error if args name another one.
func (env *Env) MatchManifest(args []string, manifest *unstructured.Unstructured) ([]string, error) {
	of := strings.ToLower(manifest.GetKind())
	named := []string{of, manifest.GetName()}
	if len(args) > 0 {
		kind, name, err := oneWorkload(args)
		if err != nil {
			return nil, UsageError(err)
		}
		if kind != manifest.GetKind() || name != manifest.GetName() {
			return nil, UsageError(fmt.Errorf("the manifest is of %s %q, not of %s %q", of, manifest.GetName(), strings.ToLower(kind), name))
		}
	}
	return named, env.TakeNamespace(manifest.GetNamespace())
}

// TakeNamespace sets the namespace to that of a manifest. It returns an error if a flag gives another one.
func (env *Env) TakeNamespace(namespace string) error {
	current, explicit, err := env.Factory.ToRawKubeConfigLoader().Namespace()
	switch {
	case err != nil:
		return err
	case namespace != "" && namespace != current && explicit:
		return UsageError(fmt.Errorf("the namespace from the provided object %q does not match the namespace %q. "+
			"You must pass '--namespace=%s' to perform this operation", namespace, current, namespace))
	}
	env.namespace = namespace
	return nil
}
