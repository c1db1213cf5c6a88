package app

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
)

//go:generate go run ../../../hack/reference -out ../../../docs/reference

// usageWidth is the width of help texts, which must fit into terminals of 80 columns.
const usageWidth = 80

// setUsage wraps the flags in help texts. It lists the flags that all commands share only in the help of the root.
func setUsage(root *cobra.Command) {
	shorten(root)
	root.SetUsageTemplate(strings.NewReplacer(
		`Use "{{.CommandPath}} [command] --help" for more information about a command.`, `"{{.CommandPath}} [command] --help" tells more about a command.`,
		"{{.LocalFlags.FlagUsages | ", fmt.Sprintf("{{.LocalFlags.FlagUsagesWrapped %d | ", usageWidth),
		"Global Flags:\n{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}",
		fmt.Sprintf("%q lists the flags of all commands, such as -n.", cli.DisplayName+" --help"),
	).Replace(root.UsageTemplate()))
}

// shorten removes a web address that is wider than the column from the usage of kubectl's own flag.
func shorten(cmd *cobra.Command) {
	if flag := cmd.Flags().Lookup("template"); flag != nil {
		flag.Usage, _, _ = strings.Cut(flag.Usage, " [http")
		flag.Usage = strings.TrimSuffix(flag.Usage, ".") + "."
	}
	for _, command := range cmd.Commands() {
		shorten(command)
	}
}
