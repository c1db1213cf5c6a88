// Command dist builds the release: an archive for every platform, their checksums, and krew's manifest. The same
// sources give the same bytes.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, progress io.Writer) error {
	fs := flag.NewFlagSet("dist", flag.ContinueOnError)
	fs.SetOutput(progress)
	r := release{progress: progress}
	fs.StringVar(&r.version, "version", "v0.0.0", "the release's `version`, as v1.2.3")
	fs.StringVar(&r.out, "out", "dist", "`folder` to write to")
	fs.StringVar(&r.pkg, "package", "./cmd/kubectl-rollout-plus", "main `package` to build")
	fs.StringVar(&r.template, "template", "krew-manifest.yaml", "krew manifest `template`")
	fs.StringVar(&r.baseURL, "base-url", "https://github.com/rollout-plus/kubectl-rollout-plus/releases/download",
		"`URL` that the releases are found under")
	platforms := fs.String("platforms", strings.Join(allPlatforms(), ","), "comma-separated os/arch `list`, or local")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *platforms == "local" {
		*platforms = runtime.GOOS + "/" + runtime.GOARCH
	}
	return r.build(ctx, strings.Split(*platforms, ","))
}

func allPlatforms() []string {
	return []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}
}
