package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	kubectldiff "k8s.io/kubectl/pkg/cmd/diff"
	"k8s.io/utils/exec"
	"sigs.k8s.io/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

const (
	// exitDiffers and exitTrouble are the exit codes of diff and kubectl diff.
	exitDiffers = 1
	exitTrouble = 2

	externalDiff = "KUBECTL_EXTERNAL_DIFF"
)

const diffExample = `  # What the latest revision of web changed
  kubectl rollout-plus diff deployment/web

  # What has changed since revision 3
  kubectl rollout-plus diff deployment/web --revision 3

  # From revision 2 to revision 4
  kubectl rollout-plus diff daemonset/agent --revision 2 --revision 4`

type diffFlags struct {
	revisions []int64
}

func newDiffCommand(env *environment) *cobra.Command {
	f := &diffFlags{}
	cmd := &cobra.Command{
		Use:         "diff (TYPE NAME | TYPE/NAME)",
		Annotations: reading(),
		Short:       "Show what a revision changed",
		Long: "Show what differs between the pod templates of two revisions of a Deployment,\n" +
			"StatefulSet or DaemonSet. Fields that the API server and the controllers fill\n" +
			"in are left out. Without --revision, compare the previous revision with the\n" +
			"current one.\n\n" +
			"If the revisions' ConfigMaps and Secrets are recorded, their contents are\n" +
			"compared too. Values of Secrets are never shown.\n\n" +
			"KUBECTL_EXTERNAL_DIFF names a program to compare with, as for kubectl diff. It\n" +
			"runs once for the templates, and once for each object that differs.\n\n" +
			"Exit codes: 0 nothing differs, 1 something differs, 2 or more an error.",
		Example: diffExample, ValidArgsFunction: env.completeWorkload(),
		RunE: func(cmd *cobra.Command, args []string) error { return inTrouble(f.run(cmd.Context(), env, args)) },
	}
	cmd.Flags().Int64SliceVar(&f.revisions, "revision", nil,
		"Compare revision `N` with the current one or, given twice, the first with the second.")
	cmd.Flags().Lookup("revision").DefValue = "" // help would show an empty list
	return cmd
}

// inTrouble replaces exit code 1 of errors, since 1 means that something differs.
func inTrouble(err error) error {
	var status *exitError
	if err == nil || errors.As(err, &status) {
		return err
	}
	if code := exitCode(err); code > exitDiffers {
		return &exitError{code: code, err: err}
	}
	return &exitError{code: exitTrouble, err: err}
}

func (f *diffFlags) run(ctx context.Context, env *environment, args []string) error {
	if err := env.checkColor(); err != nil {
		return err
	}
	if err := f.validate(); err != nil {
		return usageError(err)
	}
	named, err := env.namedWorkload(args)
	if err != nil {
		return err
	}
	kind, name, namespace := named.Kind, named.Name, named.Namespace
	engine, err := env.engine(defaultFieldManager, nil)
	if err != nil {
		return err
	}
	history, err := history.Read(ctx, engine.Client, kind, types.NamespacedName{Namespace: namespace, Name: name}, false)
	if err != nil {
		return located(err, func(string, string) string { return namespace })
	}
	object := named.ResultName()
	from, to, err := f.pick(history, object)
	if err != nil {
		return fmt.Errorf("%w; %s lists the revisions", err, commandOn("history", named))
	}
	templates, err := compareTemplates(object, from, to)
	if err != nil {
		return err
	}
	reader := &store.Reader{Client: engine.Client, Namespace: namespace, Emit: env.configEvent}
	configs, err := compareConfig(ctx, env, reader, from, to)
	if err != nil {
		return err
	}
	return show(env, append([]comparison{templates}, configs...))
}

func (f *diffFlags) validate() error {
	for _, revision := range f.revisions {
		if revision <= 0 {
			return badRevision(revision)
		}
	}
	if len(f.revisions) > 2 {
		return fmt.Errorf("--revision was given %d times; two revisions can be compared", len(f.revisions))
	}
	return nil
}

// oneWorkload parses the kind and name of one object with revisions, from TYPE/NAME or TYPE NAME.
func oneWorkload(args []string) (kind, name string, err error) {
	if len(args) == 0 {
		return "", "", errNothingNamed
	}
	named, name, slash := strings.Cut(args[0], "/")
	switch {
	case len(args) == 2 && !slash:
		name = args[1]
	case len(args) > 1:
		return "", "", fmt.Errorf("one object at a time, not %s", strings.Join(args, " "))
	case !slash:
		return "", "", fmt.Errorf("name the object as TYPE/NAME, not %q", args[0])
	}
	if kind = workloadKind(named); kind == "" {
		return "", "", fmt.Errorf("only Deployments, StatefulSets and DaemonSets have revisions, not %q", named)
	}
	if name == "" || strings.ContainsAny(name, "/ ") {
		return "", "", fmt.Errorf("%q is not the name of a %s", name, kind)
	}
	return kind, name, nil
}

// namedWorkload returns the object with revisions that the arguments name, in the namespace of the flags.
func (env *environment) namedWorkload(args []string) (printers.Object, error) {
	kind, name, err := oneWorkload(args)
	if err != nil {
		return printers.Object{}, usageError(err)
	}
	namespace, err := env.currentNamespace()
	return printers.Object{APIVersion: appsv1.SchemeGroupVersion.String(), Kind: kind, Namespace: namespace, Name: name}, err
}

// namesWorkload checks that the arguments name one object with revisions.
func namesWorkload(_ *cobra.Command, args []string) error {
	_, _, err := oneWorkload(args)
	return err
}

// side is one of two templates to compare. number is 0 for the workload's own template if that has no revision yet.
type side struct {
	number   int64
	template map[string]any
	// revision is the UID of the ReplicaSet or ControllerRevision, or "" if there is none.
	revision types.UID
}

// pick selects the two templates to compare.
func (f *diffFlags) pick(history *history.History, object string) (from, to side, err error) {
	if current := history.Current(); current != nil {
		to.number, to.revision = current.Number, current.UID
	}
	to.template = history.Template
	find := func(number int64) (side, error) {
		revision := history.Find(number)
		if revision == nil {
			return side{}, fmt.Errorf("unable to find the specified revision: %s has no revision %d", object, number)
		}
		return side{number, revision.Template, revision.UID}, nil
	}
	switch len(f.revisions) {
	case 0:
		previous := history.Previous()
		if previous == nil {
			return from, to, fmt.Errorf("%s has no revision before the current one to compare it with", object)
		}
		return side{previous.Number, previous.Template, previous.UID}, to, nil
	case 1:
		from, err = find(f.revisions[0])
		return from, to, err
	}
	if from, err = find(f.revisions[0]); err == nil {
		to, err = find(f.revisions[1])
	}
	return from, to, err
}

// String returns a name such as "revision 3".
func (s side) String() string {
	if s.number == 0 {
		return "the template that is not rolled out yet"
	}
	return fmt.Sprintf("revision %d", s.number)
}

// comparison is a pair of texts to compare, with the extension for their files.
type comparison struct {
	from, to  printers.Text
	extension string
}

// compareTemplates compares the two templates as people write them.
func compareTemplates(object string, from, to side) (comparison, error) {
	texts := make([]printers.Text, 2)
	for i, of := range []side{from, to} {
		body, err := yaml.Marshal(podtemplate.Written(of.template))
		if err != nil {
			return comparison{}, err
		}
		name := fmt.Sprintf("%s revision %d", object, of.number)
		if of.number == 0 {
			name = object + " not rolled out yet"
		}
		texts[i] = printers.Text{Name: name, Body: body}
	}
	return comparison{from: texts[0], to: texts[1], extension: ".yaml"}, nil
}

// show prints the differences, and returns an error with exit code 1 if there are any.
func show(env *environment, all []comparison) error {
	compare := func(c comparison) (bool, error) { return printers.Diff(env.Out, env.palette(env.Out), c.from, c.to) }
	if program, _ := env.lookupEnv(externalDiff); program != "" {
		compare = func(c comparison) (bool, error) { return compareOutside(env, c) }
	}
	some := false
	for _, c := range all {
		differs, err := compare(c)
		if err != nil {
			return err
		}
		some = some || differs
	}
	if some {
		return &exitError{code: exitDiffers}
	}
	return nil
}

// compareOutside runs the program of KUBECTL_EXTERNAL_DIFF on two files, as kubectl diff does.
func compareOutside(env *environment, c comparison) (differs bool, err error) {
	// Only the owner may read the directory, since templates may hold secrets.
	dir, err := os.MkdirTemp("", "rollout-plus-diff-")
	if err != nil {
		return false, err
	}
	defer func() {
		if cleanup := os.RemoveAll(dir); cleanup != nil {
			err = cleanup
		}
	}()
	files := make([]string, 2)
	for i, text := range []printers.Text{c.from, c.to} {
		// Replace characters that some file systems do not accept.
		files[i] = filepath.Join(dir, strings.NewReplacer("/", ".", " ", "-").Replace(text.Name)+c.extension)
		if err := os.WriteFile(files[i], []byte(printers.Escape(string(text.Body))), 0o600); err != nil {
			return false, err
		}
	}
	// The program may colour its output. To decide that, it checks whether it writes to a terminal.
	streams := genericiooptions.IOStreams{In: env.In, Out: printers.Underlying(env.Out), ErrOut: printers.Underlying(env.ErrOut)}
	program := kubectldiff.DiffProgram{Exec: exec.New(), IOStreams: streams}
	err = program.Run(files[0], files[1])
	var exit exec.ExitError
	if errors.As(err, &exit) && exit.ExitStatus() == exitDiffers {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("%w; %s names the program", err, externalDiff)
	}
	return false, nil
}
