// Package printers turns the engine's events into lines for people and JSON for programs.
package printers

import (
	"fmt"
	"strings"
	"time"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// Printer writes what happens in a rollout, and at the end how it ended.
type Printer interface {
	Event(at time.Time, event rollout.Event)
	Result(at time.Time, result *Result)
}

// Result is a rollout's result as a command tells it.
type Result struct {
	*rollout.Result
	// Title is the result line, such as `deployment.apps/web rolled out`; empty where there is none to tell.
	Title string
	// Message is the whole sentence for a result that is not a success.
	Message string
	// ExitCode is what the command exits with.
	ExitCode int
}

// Object names what a command works on.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

// String is the object as people write it: deployment "web".
func (o Object) String() string { return fmt.Sprintf("%s %q", strings.ToLower(o.Kind), o.Name) }

// InNamespace is the object with where it is: deployment "web" in namespace "shop".
func (o Object) InNamespace() string { return fmt.Sprintf("%s in namespace %q", o, o.Namespace) }

// ResultName is the object as kubectl prints it in results: deployment.apps/web.
func (o Object) ResultName() string { return strings.ToLower(o.Kind) + ".apps/" + o.Name }

// Deployment names a Deployment.
func Deployment(namespace, name string) Object {
	return Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: namespace, Name: name}
}
