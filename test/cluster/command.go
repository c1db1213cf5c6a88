package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const usage = `Usage: cluster COMMAND [flags]

Commands:
  up       build what is missing and start the cluster; does nothing when it is up
  down     stop the cluster and remove its state (the built binaries stay)
  status   tell whether the cluster is up; exit status 3 when it is not
  env      print the shell lines that point kubectl at the cluster
  build    build the binaries only, and print the folder that holds them
  run      bring the cluster up, run a command (after --) with it, take it down again if it was not up before

Flags:
`

// exitDown is the exit status of status for a cluster that is not up. It differs from errors (1) and wrong usage (2).
const exitDown = 3

const exitInterrupted = 130

var errUsage = errors.New("usage")

// options are the flags of every command.
type options struct {
	name       string
	nodes      int
	cache      string
	kubernetes string
	rest       []string
}

// Main runs the command line and returns the exit status.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, stdout, stderr)
	var exit *exitError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		return 2
	case errors.Is(err, errDown):
		return exitDown
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "cluster: interrupted")
		return exitInterrupted
	case errors.As(err, &exit):
		return exit.code
	}
	fmt.Fprintln(stderr, "cluster:", err)
	return 1
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, command, err := parse(args, stderr)
	if err != nil {
		return err
	}
	c := &cluster{options: o, progress: stderr}
	switch command {
	case "up":
		return c.up(ctx)
	case "down":
		return c.down(ctx)
	case "status":
		return c.status(ctx, stdout)
	case "env":
		return c.env(stdout)
	case "build":
		return c.build(ctx, stdout)
	case "run":
		return c.run(ctx, o.rest)
	}
	fmt.Fprintf(stderr, "cluster: unknown command %q\n", command)
	return errUsage
}

func parse(args []string, stderr io.Writer) (options, string, error) {
	var o options
	fs := flag.NewFlagSet("cluster", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.name, "name", "rollout-plus", "the cluster's `name`; clusters of different names may run at once")
	fs.IntVar(&o.nodes, "nodes", 10, "how many nodes to simulate")
	fs.StringVar(&o.kubernetes, "kubernetes", "", "the control plane's `version`, as 1.34.4 (default: the one that go.mod pins)")
	fs.StringVar(&o.cache, "cache", "", "`folder` for binaries and state (default: in the user's cache folder)")
	fs.Usage = func() { fmt.Fprint(stderr, usage); fs.PrintDefaults() }
	if len(args) == 0 {
		fs.Usage()
		return o, "", errUsage
	}
	if err := fs.Parse(args[1:]); err != nil {
		return o, "", errUsage
	}
	o.rest = fs.Args()
	if err := o.complete(args[0]); err != nil {
		fmt.Fprintln(stderr, "cluster:", err)
		return o, "", errUsage
	}
	return o, args[0], nil
}

func (o *options) complete(command string) error {
	if !regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`).MatchString(o.name) {
		return fmt.Errorf("--name %q: lower case letters, digits and dashes only, at most 40", o.name)
	}
	if o.nodes < 1 || o.nodes > 250 {
		return fmt.Errorf("--nodes %d: must be between 1 and 250", o.nodes)
	}
	if command == "run" && len(o.rest) == 0 {
		return errors.New("run: which command? cluster run [flags] -- COMMAND [ARGS...]")
	}
	if command != "run" && len(o.rest) > 0 {
		return fmt.Errorf("%s takes no arguments: %q", command, o.rest)
	}
	if err := o.completeVersion(); err != nil {
		return err
	}
	if o.cache != "" {
		abs, err := filepath.Abs(o.cache)
		o.cache = abs
		return err
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("no folder for the binaries, give --cache: %w", err)
	}
	o.cache = filepath.Join(base, "rollout-plus", "cluster-"+o.kubernetes)
	return nil
}

func (o *options) completeVersion() error {
	if o.kubernetes == "" {
		var err error
		o.kubernetes, err = kubernetesVersion(goMod)
		return err
	}
	given := o.kubernetes
	o.kubernetes = "v" + strings.TrimPrefix(given, "v")
	if !regexp.MustCompile(`^v1\.\d+\.\d+$`).MatchString(o.kubernetes) {
		return fmt.Errorf("--kubernetes %q: give a version of three numbers, as 1.34.4", given)
	}
	return nil
}
