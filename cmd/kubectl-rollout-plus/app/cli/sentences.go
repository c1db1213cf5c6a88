package cli

import (
	"errors"
	"fmt"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
)

// Verbs select the words for a command's success.
type Verbs struct {
	GoesBack bool
	Suffix   string
}

// title returns the result line, such as `deployment.apps/web rolled out`.
func (v Verbs) title(of printers.Object, result *rollout.Result) string {
	object := of.ResultName()
	switch result.Outcome {
	case rollout.Done:
		return fmt.Sprintf("%s rolled out (revision %d)%s", object, result.Revision, v.Suffix)
	case rollout.Unchanged:
		return fmt.Sprintf("%s unchanged: %s%s", object, result.Message, v.Suffix)
	case rollout.Planned:
		return fmt.Sprintf("%s rollout planned%s", object, v.Suffix)
	case rollout.RolledBack:
		return fmt.Sprintf("%s rolled back (revision %d)%s", object, result.Revision, v.Suffix)
	default:
		return ""
	}
}

// CommandOn returns a command line on an object that the user may run next.
func CommandOn(verb string, object printers.Object) string {
	return command.On(verb, object.Kind, object.Name, object.Namespace)
}

// Sentence says what happened to which workload, and what to do next.
func Sentence(object printers.Object, result *rollout.Result) string {
	text := object.InNamespace() + ": "
	switch result.Outcome {
	case rollout.RolledBack:
		text += "the rollout "
		if result.Finding != nil || result.Message != "" { // otherwise another client went back
			text += "failed and "
		}
		text += "was rolled back"
	case rollout.Failed:
		text += "the rollout failed"
	case rollout.Overtaken:
		text += "the rollout was overtaken"
	default:
		text += result.Message
		if result.Outcome == rollout.TimedOut && result.Standing {
			text += ": --timeout passed"
		}
		return text + InTheWay(result.Hindrance) + Standing(object, result)
	}
	if result.Finding != nil {
		text += ": " + result.Finding.String()
	}
	if result.Message != "" {
		text += ": " + result.Message
	}
	return text + Standing(object, result)
}

// InTheWay says what the pods were waiting for when a timeout passed. It returns "" if that is unknown.
func InTheWay(hindrance *rollout.Finding) string {
	if hindrance == nil {
		return ""
	}
	return "; in its way: " + hindrance.String()
}

// Standing says where an open rollout stands, and how to go on from there.
func Standing(object printers.Object, result *rollout.Result) string {
	open := result.Standing && result.Record != nil
	resume, abort := CommandOn("resume", object), CommandOn("abort", object)
	unpause := fmt.Sprintf("'kubectl rollout resume deployment/%s -n %s'", object.Name, object.Namespace)
	switch {
	case result.Outcome == rollout.Paused && (!open || result.Record.RollingBack):
		return "; " + unpause + " lets it go on"
	case result.Towards == rollout.RolledBack && result.Outcome != rollout.RolledBack:
		return "; the old version returns by itself, " + CommandOn("status", object) + " shows it"
	case result.Towards == rollout.Done && result.Record != nil:
		return "; the new version is completed by itself, " + CommandOn("status", object) + " shows it"
	case !open:
		return ended(object, result)
	case result.Record.RollingBack:
		return "; the old version is returning, " + abort + " sees to it that it is complete"
	}
	if result.Record.Ungated {
		return "; its last step needs nobody to drive it any more, " + resume + " sees to its end, " + abort + " goes back"
	}
	where := fmt.Sprintf("; it stands still at step %d of %d, ", result.Record.Step, len(result.Record.Plan.Steps))
	return where + resume + " goes on, " + abort + " goes back"
}

// ended says what to do after a rollout that is no longer open.
func ended(object printers.Object, result *rollout.Result) string {
	switch {
	case result.Outcome == rollout.Deleted:
		return "; " + command.Lists(object.Kind, object.Namespace) + " lists those there are"
	case result.Outcome == rollout.RolledBack && result.Finding != nil:
		return "; correct the new version and roll it out again"
	case result.Outcome == rollout.Failed, result.Outcome == rollout.Overtaken:
		return "; " + CommandOn("explain", object) + " tells more"
	}
	return ""
}

// WithHint adds what to do next to errors of package rollout, which only name the problem.
func WithHint(err error, object printers.Object) error {
	var open *rollout.OpenError
	var check *rollout.CheckError
	if errors.Is(err, rollout.ErrOvertaken) {
		return Overtaken(object)
	}
	if errors.As(err, &check) {
		return fmt.Errorf("%s: %w; nothing was written, and --skip-checks begins all the same",
			object.InNamespace(), err)
	}
	if errors.As(err, &open) {
		return fmt.Errorf("%w; %s goes on, %s goes back", err, CommandOn("resume", object), CommandOn("abort", object))
	}
	return err
}

// Overtaken returns the error for an object that somebody else has changed meanwhile. If that was a rollback too, a second
// one would bring back the broken version.
func Overtaken(object printers.Object) error {
	return fmt.Errorf("%s in namespace %q was not rolled back: somebody else has changed its pod template meanwhile; "+
		"%s shows what it is now, and --to-revision goes to a revision whatever that is", object, object.Namespace, CommandOn("history", object))
}
