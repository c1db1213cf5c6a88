// Package printers turns the engine's events into lines for people and JSON for programs.
package printers

import (
	"fmt"
	"strings"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// Printer writes the events of a rollout, and its result at the end.
type Printer interface {
	Event(at time.Time, event rollout.Event)
	Result(at time.Time, result *Result)
}

// Result is a rollout's result with the text and exit code of the command.
type Result struct {
	*rollout.Result
	// Title is the result line, such as `deployment.apps/web rolled out`. It is empty if there is nothing to print.
	Title string
	// Message is the whole sentence for a result that is not a success.
	Message string
	// ExitCode is the exit code of the command.
	ExitCode int
}

// Object names the object that a command works on.
type Object struct {
	// APIVersion is the API version of the object, such as `apps/v1`.
	APIVersion string `json:"apiVersion"`
	// Kind is the kind of the object, such as `Deployment`.
	Kind string `json:"kind"`
	// Namespace is the namespace of the object.
	Namespace string `json:"namespace"`
	// Name is the name of the object.
	Name string `json:"name"`
}

// String returns the object as people write it: deployment "web".
func (o Object) String() string { return fmt.Sprintf("%s %q", strings.ToLower(o.Kind), o.Name) }

// InNamespace returns the object with its namespace: deployment "web" in namespace "shop".
func (o Object) InNamespace() string { return fmt.Sprintf("%s in namespace %q", o, o.Namespace) }

// ResultName returns the object as kubectl prints it in results: deployment.apps/web.
func (o Object) ResultName() string { return strings.ToLower(o.Kind) + ".apps/" + o.Name }

// Deployment returns the Object of a Deployment.
func Deployment(namespace, name string) Object {
	return Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: namespace, Name: name}
}
