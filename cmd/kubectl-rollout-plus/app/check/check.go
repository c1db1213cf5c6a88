// Package check holds the command check.
package check

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/resource"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

const checkExample = `  # Look for problems before the next rollout of a Deployment
  kubectl rollout-plus check deployment/web

  # The same before a StatefulSet is restarted
  kubectl rollout-plus check statefulset/db

  # The same before a manifest is rolled out with start -f
  kubectl rollout-plus check -f web.yaml

  # With the limits of the coming rollout, for a script
  kubectl rollout-plus check deployment/web --max-surge 2 --max-unavailable 0 -o json`

type checkFlags struct {
	selection          cli.Selection
	surge, unavailable string
	output             string
	fieldManager       string
}

// NewCommand returns the command check.
func NewCommand(env *cli.Env) *cobra.Command {
	f := &checkFlags{}
	cmd := &cobra.Command{
		Use:         "check (TYPE NAME | TYPE/NAME)",
		Annotations: cli.Reading(),
		Short:       "Look for problems before a rollout",
		Long: "Look for problems that the next rollout, restart or undo of a workload would\n" +
			"meet. The checks cover rights, quotas and limits, room on nodes, disruption\n" +
			"budgets, autoscalers, probes, Services, referenced objects, image names and the\n" +
			"update strategy. Nothing is written.\n\n" +
			"Each check ends as OK, WARN or FAIL. SKIP marks a check that could not be made,\n" +
			"and says why. The command exits with 4 if any check is FAIL.\n\n" +
			"start, config and restart --config make the same checks, except those that take\n" +
			"long in a large cluster. With -f, check judges what start -f would make of the\n" +
			"manifest of one workload.",
		Example:           checkExample,
		ValidArgsFunction: env.CompleteWorkload(),
		RunE:              func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.selection.Add(cmd)
	cmd.Flags().StringVar(&f.surge, "max-surge", "", "The most pods above spec.replicas, as a count or a percentage (default: the workload's own).")
	cmd.Flags().StringVar(&f.unavailable, "max-unavailable", "", "The most ready pods missing from spec.replicas (default: the workload's own).")
	cmd.Flags().StringVarP(&f.output, "output", "o", "", `Output format: "json" writes a document per object.`)
	cmdutil.AddFieldManagerFlagVar(cmd, &f.fieldManager, cli.DefaultFieldManager)
	return cmd
}

func (f *checkFlags) run(ctx context.Context, env *cli.Env, args []string) error {
	var options rollout.CheckOptions
	var err error
	if options.MaxSurge, options.MaxUnavailable, err = cli.ParseLimits(f.surge, f.unavailable); err != nil {
		return err
	}
	objects, engine, err := f.selection.Looking(env, args, f.output)
	if err != nil {
		return err
	}
	if manifest := f.manifest(env, args); manifest != nil {
		if engine, err = env.Engine(f.fieldManager, nil); err != nil {
			return err
		}
		return f.checkManifest(ctx, env, engine, manifest, options)
	}
	infos, err := objects.Infos()
	err = f.selection.Located(env, err)
	if err == nil && len(infos) == 0 {
		return env.NoneFound()
	}
	failures := []error{err}
	for _, info := range infos {
		failures = append(failures, f.check(ctx, env, engine, info, options, len(infos) > 1))
	}
	return cli.Together(failures)
}

// check runs the checks of one object. It prints the object's name above them if there are other objects.
func (f *checkFlags) check(ctx context.Context, env *cli.Env, engine *rollout.Engine, info *resource.Info,
	options rollout.CheckOptions, others bool,
) error {
	workload, err := cli.WorkloadIn(info)
	if err != nil {
		return err
	}
	results, err := engine.Check(ctx, workload, options)
	if err != nil {
		return err
	}
	if f.output == "" && others {
		_, _ = fmt.Fprintf(env.Out, "%s\n", cli.ResultName(workload))
	}
	return f.tell(env, cli.ObjectOf(workload), results)
}

// manifest returns the manifest if -f names that of one workload. Otherwise it returns nil.
func (f *checkFlags) manifest(env *cli.Env, args []string) *unstructured.Unstructured {
	files := f.selection.Files
	if len(args) > 0 || f.selection.Selector != "" || len(files.Filenames) != 1 || files.Kustomize != "" || files.Filenames[0] == "-" {
		return nil
	}
	manifest, err := env.ReadWorkload(files.Filenames[0])
	if err != nil {
		return nil // the argument may still name objects, as a folder or a list does
	}
	return manifest
}

// checkManifest runs the checks for the workload as a manifest would change it.
func (f *checkFlags) checkManifest(ctx context.Context, env *cli.Env, engine *rollout.Engine, manifest *unstructured.Unstructured,
	options rollout.CheckOptions,
) error {
	named, err := env.MatchManifest(nil, manifest)
	if err != nil {
		return err
	}
	object, err := env.NamedWorkload(named)
	if err != nil {
		return err
	}
	key := types.NamespacedName{Namespace: object.Namespace, Name: object.Name}
	results, err := engine.CheckChange(ctx, object.Kind, key, rollout.Change{Manifest: manifest}, options)
	if err != nil {
		return err
	}
	return f.tell(env, object, results)
}

// tell prints the results of an object's checks. It returns an error if one of them stands against a rollout.
func (f *checkFlags) tell(env *cli.Env, object printers.Object, results []preflight.Result) error {
	if f.output == "json" {
		printers.ChecksJSON(env.Out, object, results)
	} else {
		printers.ChecksText(env.Out, env.Palette(env.Out), results)
	}
	if env.InActions() {
		printers.CheckAnnotations(env.ErrOut, object.ResultName(), results)
	}
	if failed := preflight.Failed(results); len(failed) > 0 {
		return &cli.Exit{Code: cli.ExitStanding, Err: fmt.Errorf("%s: %w", object, &rollout.CheckError{Failed: failed})}
	}
	return nil
}
