package cli

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// Palette decides about colour for one stream. In order, these decide: --color, NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM,
// and whether the stream is a terminal.
func (env *Env) Palette(out io.Writer) printers.Palette {
	return printers.PaletteFor(out, env.coloured(out))
}

func (env *Env) coloured(out io.Writer) bool {
	get := func(name string) string { value, _ := env.LookupEnv(name); return value }
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

// CheckColor returns an error for an unknown value of --color.
func (env *Env) CheckColor() error {
	switch env.color {
	case "auto", "always", "never":
		return nil
	}
	return FlagError("color", env.color, fmt.Errorf("expected auto, always or never"))
}

// Printer returns the printer that -o asks for: lines for people, or JSON events.
func (env *Env) Printer(output string, object printers.Object) (printers.Printer, error) {
	if err := env.CheckColor(); err != nil {
		return nil, err
	}
	switch output {
	case "":
		lines := printers.NewLines(env.Out, env.ErrOut, env.Palette(env.Out), env.Palette(env.ErrOut), object.ResultName())
		return Connecting{lines.Annotated(env.InActions()), env.Connection()}, nil
	case "json":
		return Connecting{printers.NewJSON(env.Out, object), env.Connection()}, nil
	}
	return nil, FlagError("output", output, errOutput)
}

// Conclude prints a rollout's result and returns the error that ends the command. If err is not nil, nothing was begun. Only an
// UncertainError leaves that open.
func (env *Env) Conclude(p printers.Printer, object printers.Object, result *rollout.Result, err error, cause error, verbs Verbs) error {
	if err = env.endedBy(err); err != nil {
		failure := WithHint(err, object)
		p.Result(env.Clock.Now(), &printers.Result{
			Result: &rollout.Result{Outcome: rollout.Errored}, Message: failure.Error(), ExitCode: CodeOf(err),
		})
		return failure
	}
	told := &printers.Result{Result: result, Title: verbs.title(object, result), ExitCode: OutcomeCode(result, cause, verbs.GoesBack)}
	if told.ExitCode != ExitDone {
		told.Message = Sentence(object, result)
	}
	p.Result(env.Clock.Now(), told)
	if told.ExitCode == ExitDone {
		return nil
	}
	return &Exit{Code: told.ExitCode, Err: fmt.Errorf("%s", told.Message)}
}

// Annotate prints findings as annotations for GitHub Actions.
func (env *Env) Annotate(findings []rollout.Finding) {
	if !env.InActions() {
		return
	}
	for i := range findings {
		if !findings[i].Starting() {
			printers.Annotate(env.ErrOut, findings[i].Connected(env.Connection()))
		}
	}
}

// InActions reports whether the command runs in GitHub Actions.
func (env *Env) InActions() bool {
	value, _ := env.LookupEnv("GITHUB_ACTIONS")
	return value == "true"
}
