package app

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// palette decides about colour for one stream. In order, these decide: --color, NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM,
// and whether the stream is a terminal.
func (env *environment) palette(out io.Writer) printers.Palette {
	return printers.PaletteFor(out, env.coloured(out))
}

func (env *environment) coloured(out io.Writer) bool {
	get := func(name string) string { value, _ := env.lookupEnv(name); return value }
	switch {
	case env.color == "always":
		return true
	case env.color == "never", get("NO_COLOR") != "":
		return false
	case get("CLICOLOR_FORCE") != "" && get("CLICOLOR_FORCE") != "0":
		return true
	case get("CLICOLOR") == "0", get("TERM") == "dumb":
		return false
	}
	file, ok := printers.Underlying(out).(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// checkColor returns an error for an unknown value of --color.
func (env *environment) checkColor() error {
	switch env.color {
	case "auto", "always", "never":
		return nil
	}
	return flagError("color", env.color, fmt.Errorf("expected auto, always or never"))
}

// printer returns the printer that -o asks for: lines for people, or JSON events.
func (env *environment) printer(output string, object printers.Object) (printers.Printer, error) {
	if err := env.checkColor(); err != nil {
		return nil, err
	}
	switch output {
	case "":
		lines := printers.NewLines(env.Out, env.ErrOut, env.palette(env.Out), env.palette(env.ErrOut), object.ResultName())
		return connecting{lines.Annotated(env.inActions()), env.connection()}, nil
	case "json":
		return connecting{printers.NewJSON(env.Out, object), env.connection()}, nil
	}
	return nil, flagError("output", output, errOutput)
}

// conclude prints a rollout's result and returns the error that ends the command. If err is not nil, nothing was begun. Only an
// UncertainError leaves that open.
func (env *environment) conclude(p printers.Printer, object printers.Object, result *rollout.Result, err error, cause error, verbs verbs) error {
	if err = env.endedBy(err); err != nil {
		failure := withHint(err, object)
		p.Result(env.clock.Now(), &printers.Result{
			Result: &rollout.Result{Outcome: rollout.Errored}, Message: failure.Error(), ExitCode: exitCode(err),
		})
		return failure
	}
	told := &printers.Result{Result: result, Title: verbs.title(object, result), ExitCode: outcomeCode(result, cause, verbs.goesBack)}
	if told.ExitCode != ExitDone {
		told.Message = sentence(object, result)
	}
	p.Result(env.clock.Now(), told)
	if told.ExitCode == ExitDone {
		return nil
	}
	return &exitError{code: told.ExitCode, err: fmt.Errorf("%s", told.Message)}
}
