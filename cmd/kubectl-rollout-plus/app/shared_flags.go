package app

import (
	"flag"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// sharedFlags are those of kubectl's own that every command takes besides how to reach the API server, so that a script
// which gives them can name the plugin instead.
type sharedFlags struct {
	// warnings tells what the API server warns of, each of it once, and counts.
	warnings interface {
		rest.WarningHandler
		WarningCount() int
	}
	warningsAsErrors bool
	logs             logLevel
}

func (s *sharedFlags) add(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.BoolVar(&s.warningsAsErrors, "warnings-as-errors", false,
		"Treat warnings received from the server as errors and exit with a non-zero exit code")
	logs := flag.NewFlagSet("", flag.ContinueOnError)
	klog.InitFlags(logs)
	level, modules := logs.Lookup("v"), logs.Lookup("vmodule")
	s.logs.libraries = level.Value
	flags.VarP(&s.logs, "v", "v", level.Usage)
	flags.Var(logModules{modules.Value}, "vmodule", modules.Usage)
}

// check is for the end of a command that has done its work.
func (s *sharedFlags) check() error {
	count := s.warnings.WarningCount()
	switch {
	case !s.warningsAsErrors || count == 0:
		return nil
	case count == 1:
		return fmt.Errorf("%d warning received", count)
	}
	return fmt.Errorf("%d warnings received", count)
}
