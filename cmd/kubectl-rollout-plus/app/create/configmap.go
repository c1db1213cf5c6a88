package create

import (
	"github.com/spf13/cobra"
	kubectlcreate "k8s.io/kubectl/pkg/cmd/create"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

const createConfigMapExample = `  # From literal values
  kubectl rollout-plus create configmap web --from-literal=greeting=hello

  # From a file, from a directory, and under a chosen key
  kubectl rollout-plus create configmap web --from-file=app.conf \
    --from-file=conf.d --from-file=motd=welcome.txt

  # From lines of KEY=VALUE
  kubectl rollout-plus create configmap web --from-env-file=web.env`

// newCreateConfigMapCommand returns kubectl's own create configmap. The one difference: it refuses env files with lines
// that kubectl would drop.
func newCreateConfigMapCommand(env *cli.Env) *cobra.Command {
	o := kubectlcreate.NewConfigMapOptions(env.IOStreams)
	cmd := &cobra.Command{
		Use:     "configmap NAME [--from-file=[KEY=]FILE]",
		Aliases: []string{"cm"},
		Short:   "Create a ConfigMap from literal values, files or env files",
		Long: "Create a ConfigMap from literal values, files, directories or env files, as\n" +
			"kubectl create configmap does.",
		Example: createConfigMapExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.Complete(env.Factory, cmd, args); err != nil {
				return cli.UsageError(err)
			}
			if err := o.Validate(); err != nil {
				return cli.UsageError(err)
			}
			for _, file := range o.EnvFileSources {
				if err := configmap.CheckEnvFile(file); err != nil {
					return cli.UsageError(err)
				}
			}
			return o.Run()
		},
	}
	o.PrintFlags.AddFlags(cmd)
	cmdutil.AddApplyAnnotationFlags(cmd)
	cmdutil.AddValidateFlags(cmd)
	cmdutil.AddDryRunFlag(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&o.FileSources, "from-file", nil, "A file, whose name becomes the key; KEY=FILE; or a directory, each of whose files becomes a key.")
	flags.StringArrayVar(&o.LiteralSources, "from-literal", nil, "A key and its value, as KEY=VALUE.")
	flags.StringSliceVar(&o.EnvFileSources, "from-env-file", nil, "A file with lines of KEY=VALUE.")
	flags.BoolVar(&o.AppendHash, "append-hash", false, "Append a hash of the ConfigMap to its name.")
	cmdutil.AddFieldManagerFlagVar(cmd, &o.FieldManager, cli.DefaultFieldManager)
	return cmd
}
