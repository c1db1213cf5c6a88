// Command kubectl-rollout_plus is the kubectl plugin `kubectl rollout-plus`.
package main

import (
	"context"
	"os"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
)

// version is set by the linker. If it is empty, the module's own version is shown.
var version string

func main() {
	ctx, stop := cli.Interruptible(context.Background())
	code := app.Main(ctx, app.Process{
		Args: os.Args, In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr, LookupEnv: os.LookupEnv, Version: version,
	})
	stop()
	os.Exit(code)
}
