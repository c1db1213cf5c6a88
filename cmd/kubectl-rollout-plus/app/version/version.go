// Package version holds the command version.
package version

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
)

// NewCommand returns the command version.
func NewCommand(env *cli.Env, linked string) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:         "version",
		Annotations: cli.Reading(),
		Short:       "Print the version of this plugin",
		Example:     "  # Print the version\n  kubectl rollout-plus version",
		Args:        cli.Arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			version, platform := versionOf(linked), runtime.GOOS+"/"+runtime.GOARCH
			switch output {
			case "":
				_, err := fmt.Fprintf(env.Out, "%s %s (%s, %s)\n", cli.DisplayName, version, runtime.Version(), platform)
				return err
			case "json":
				return json.NewEncoder(env.Out).Encode(map[string]any{
					"schemaVersion": 1, "version": version, "goVersion": runtime.Version(), "platform": platform,
				})
			}
			return cli.FlagError("output", output, fmt.Errorf("expected json, or nothing for a line"))
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", `Output format: "json".`)
	return cmd
}

// versionOf returns the version that the linker has set, or else that of the module.
func versionOf(linked string) string {
	if linked != "" {
		return linked
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
