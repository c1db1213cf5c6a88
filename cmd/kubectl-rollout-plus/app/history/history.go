// Package history holds the command history.
package history

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	cliprinters "k8s.io/cli-runtime/pkg/printers"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/kubectl/pkg/polymorphichelpers"
	"k8s.io/kubectl/pkg/scheme"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
)

const historyExample = `  # The revisions of web
  kubectl rollout-plus history deployment/web

  # With age, state, pods, images, configuration and who made the change
  kubectl rollout-plus history deployment/web -o wide

  # The pod template of revision 3
  kubectl rollout-plus history daemonset/web --revision 3`

// wide is the only -o format that kubectl's history does not have.
const wide = "wide"

type historyFlags struct {
	cli.Selection
	revision int64
	print    *genericclioptions.PrintFlags
}

// NewCommand returns the command history.
func NewCommand(env *cli.Env) *cobra.Command {
	f := &historyFlags{print: genericclioptions.NewPrintFlags("").WithTypeSetter(scheme.Scheme)}
	cmd := &cobra.Command{
		Use:         "history (TYPE NAME... | TYPE/NAME... | -f FILE)",
		Annotations: cli.Reading(),
		Short:       "Show the revisions of Deployments, StatefulSets and DaemonSets",
		Long: "Show the revisions of Deployments, StatefulSets and DaemonSets, as kubectl\n" +
			"rollout history does.\n\n" +
			"With -o wide, each revision has its age, state, pods (ready/total), images, and\n" +
			"the versions of its ConfigMaps and Secrets. NAME:not-recorded marks an object\n" +
			"whose content nobody has kept. If the cluster still knows it, the field manager\n" +
			"that made the revision is shown. -o json, yaml and the like add the same as\n" +
			"fields to the objects that kubectl prints.\n\n" +
			"The state is current (nothing else runs), new (it is being rolled out), stable\n" +
			"(it still serves while another revision is rolled out) or old.",
		Example: historyExample, ValidArgsFunction: env.CompleteWorkload(),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	cmd.Flags().Int64Var(&f.revision, "revision", 0, "See the details, including podTemplate of the revision specified")
	f.Add(cmd)
	f.print.AddFlags(cmd)
	output := cmd.Flags().Lookup("output")
	output.Usage = strings.Replace(output.Usage, "(json, yaml, ", "(wide, json, yaml, ", 1)
	return cmd
}

func (f *historyFlags) run(ctx context.Context, env *cli.Env, args []string) error {
	if err := env.CheckColor(); err != nil {
		return err
	}
	if err := f.Check(args); err != nil {
		return err
	}
	if f.revision < 0 {
		return cli.UsageError(cli.BadRevision(f.revision))
	}
	show, err := f.shower(env)
	if err != nil {
		return err
	}
	found, err := f.Find(env, args)
	if err != nil {
		return err
	}
	engine, err := env.Engine(cli.DefaultFieldManager, nil)
	if err != nil {
		return err
	}
	return f.Located(env, found.Visit(func(info *resource.Info, err error) error {
		if err != nil {
			return err
		}
		viewer, err := polymorphichelpers.HistoryViewerFor(info.Mapping.GroupVersionKind.GroupKind(), engine.Client)
		if err != nil {
			return cli.More(err, "; "+cli.OnlyWorkloads)
		}
		return show(ctx, &pastOf{Info: info, engine: engine, viewer: viewer})
	}))
}

// pastOf is one object with the means to read its history.
type pastOf struct {
	*resource.Info
	engine *rollout.Engine
	viewer polymorphichelpers.HistoryViewer
}

func (p *pastOf) read(ctx context.Context) (*history.History, error) {
	return history.Read(ctx, p.engine.Client, p.Mapping.GroupVersionKind.Kind, types.NamespacedName{Namespace: p.Namespace, Name: p.Name}, true)
}

// tellBlind prints why pods are not counted.
func (p *pastOf) tellBlind(env *cli.Env, history *history.History) {
	if history.Blind != nil {
		_, _ = fmt.Fprintf(env.ErrOut, "the pods of %s in namespace %q are not counted, and states go by its status alone: %v\n",
			p.ObjectName(), p.Namespace, history.Blind)
	}
}

// unsaid adds to an error about the history the object's name and a command to run next.
func (p *pastOf) unsaid(err error) error {
	return cli.Unsaid(err, cli.ObjectIn(p.Info), cli.ListsRevisions(cli.ObjectIn(p.Info)))
}

// shower returns the function that prints as -o and --template ask for.
func (f *historyFlags) shower(env *cli.Env) (func(context.Context, *pastOf) error, error) {
	if *f.print.OutputFormat == wide {
		return func(ctx context.Context, past *pastOf) error { return f.showWide(ctx, env, past) }, nil
	}
	printer, err := f.print.ToPrinter()
	if err != nil {
		var unknown genericclioptions.NoCompatiblePrinterError
		if errors.As(err, &unknown) {
			unknown.AllowedFormats = append([]string{wide}, unknown.AllowedFormats...)
			err = unknown
		}
		return nil, cli.UsageError(err)
	}
	if f.print.OutputFlagSpecified() {
		return func(ctx context.Context, past *pastOf) error { return f.showObjects(ctx, env, past, printer) }, nil
	}
	return func(_ context.Context, past *pastOf) error { return f.showText(env, past) }, nil
}

// showText prints kubectl's own history.
func (f *historyFlags) showText(env *cli.Env, past *pastOf) error {
	text, err := past.viewer.ViewHistory(past.Namespace, past.Name, f.revision)
	if err != nil {
		return past.unsaid(err)
	}
	f.print.NamePrintFlags.Operation = f.title() + text
	printer, err := f.print.ToPrinter()
	if err != nil {
		return err
	}
	return printer.PrintObj(past.Object, env.Out)
}

// title returns the text between the object's name and its history.
func (f *historyFlags) title() string {
	if f.revision > 0 {
		return fmt.Sprintf("with revision #%d\n", f.revision)
	}
	return "\n"
}

func (f *historyFlags) showWide(ctx context.Context, env *cli.Env, past *pastOf) error {
	w, err := past.read(ctx)
	if err != nil {
		return err
	}
	past.tellBlind(env, w)
	revisions, text := w.Revisions, &strings.Builder{}
	if len(revisions) == 0 {
		text.WriteString("No rollout history found.")
	} else {
		if f.revision > 0 {
			only := w.Find(f.revision)
			if only == nil {
				return past.unsaid(cli.ErrNoRevision)
			}
			revisions = []history.Revision{*only}
		}
		table := cliprinters.GetNewTabWriter(text)
		shown, err := past.withConfig(ctx, revisions)
		if err != nil {
			return err
		}
		printers.HistoryTable(table, shown, env.Clock.Now())
		if err := table.Flush(); err != nil {
			return err
		}
	}
	f.print.NamePrintFlags.Operation = f.title() + text.String()
	printer, err := f.print.TypeSetterPrinter.WrapToPrinter(f.print.NamePrintFlags.ToPrinter(""))
	if err != nil {
		return err
	}
	return printer.PrintObj(past.Object, env.Out)
}

// showObjects prints the revisions as objects. That is a ReplicaSet, or the StatefulSet or DaemonSet as it was.
func (f *historyFlags) showObjects(ctx context.Context, env *cli.Env, past *pastOf, printer cliprinters.ResourcePrinter) error {
	objects, err := f.objects(ctx, env, past)
	if err != nil {
		return err
	}
	if f.revision > 0 {
		object, found := objects[f.revision]
		if !found {
			return past.unsaid(cli.ErrNoRevision)
		}
		return printer.PrintObj(object, env.Out)
	}
	for _, number := range slices.Sorted(maps.Keys(objects)) {
		if err := printer.PrintObj(objects[number], env.Out); err != nil {
			// kubectl does not treat that as a failure. It does not even report it.
			env.Tell("%s", cli.ErrorText(err))
		}
	}
	return nil
}

// rereads is how often a history is read if it changes during the read.
const rereads = 5

// objects returns kubectl's objects, with added fields about each as a revision. For -o name it adds none, since names do
// not show them.
func (f *historyFlags) objects(ctx context.Context, env *cli.Env, past *pastOf) (map[int64]runtime.Object, error) {
	for range rereads {
		objects, err := past.viewer.GetHistory(past.Namespace, past.Name)
		if err != nil || len(objects) == 0 || *f.print.OutputFormat == "name" {
			return objects, err
		}
		history, err := past.read(ctx)
		if err != nil {
			return nil, err
		}
		if revisions := matching(history, objects); len(revisions) == len(objects) {
			past.tellBlind(env, history)
			return past.described(ctx, objects, revisions, env)
		}
	}
	return nil, fmt.Errorf("the history of %s changed while it was read; run the command again", cli.ObjectIn(past.Info).InNamespace())
}

// matching returns the revisions of a history that are among the objects.
func matching(w *history.History, objects map[int64]runtime.Object) []history.Revision {
	return slices.DeleteFunc(slices.Clone(w.Revisions), func(r history.Revision) bool { return objects[r.Number] == nil })
}

// described adds fields about the revisions to objects.
func (p *pastOf) described(ctx context.Context, objects map[int64]runtime.Object, revisions []history.Revision, env *cli.Env,
) (map[int64]runtime.Object, error) {
	shown, err := p.withConfig(ctx, revisions)
	if err != nil {
		return nil, err
	}
	for i := range shown {
		number := shown[i].Number
		if objects[number], err = describedAs(&shown[i], objects[number], env); err != nil {
			return nil, err
		}
	}
	return objects, nil
}

func describedAs(revision *printers.Revision, object runtime.Object, env *cli.Env) (runtime.Object, error) {
	kinds, _, err := scheme.Scheme.ObjectKinds(object)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	with := &unstructured.Unstructured{}
	if err := json.Unmarshal(text, &with.Object); err != nil {
		return nil, err
	}
	fields, err := printers.HistoryFields(revision, env.Clock.Now())
	if err != nil {
		return nil, err
	}
	maps.Copy(with.Object, fields)
	with.SetGroupVersionKind(kinds[0])
	return with, nil
}
