package cli

import (
	"flag"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/apiserver"
)

// sharedFlags are kubectl's own flags that every command accepts in addition to those of the connection. A script that uses
// them can call the plugin in place of kubectl.
type sharedFlags struct {
	// warnings prints each warning of the API server once, and counts them.
	warnings interface {
		rest.WarningHandler
		WarningCount() int
	}
	warningsAsErrors bool
	logs             apiserver.LogLevel
}

func (s *sharedFlags) add(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.BoolVar(&s.warningsAsErrors, "warnings-as-errors", false,
		"Treat warnings received from the server as errors and exit with a non-zero exit code")
	logs := flag.NewFlagSet("", flag.ContinueOnError)
	klog.InitFlags(logs)
	level, modules := logs.Lookup("v"), logs.Lookup("vmodule")
	s.logs.Libraries = level.Value
	flags.VarP(&s.logs, "v", "v", level.Usage)
	flags.Var(apiserver.LogModules{Value: modules.Value}, "vmodule", modules.Usage)
}

// Check returns an error for warnings if --warnings-as-errors is given. It runs after a command has done its work.
func (s *sharedFlags) Check() error {
	count := s.warnings.WarningCount()
	switch {
	case !s.warningsAsErrors || count == 0:
		return nil
	case count == 1:
		return fmt.Errorf("%d warning received", count)
	}
	return fmt.Errorf("%d warnings received", count)
}
