package restart

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/restore"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// staleFlags make restart roll out the workloads whose pods do not run with the present content of a ConfigMap or Secret.
type staleFlags struct {
	config string
	kind   configuration.KindFlag
	stale  bool
	configuration.ChangeFlags
}

func (f *staleFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "Restart workloads whose pods run with an older content of this ConfigMap, or of secret/NAME.")
	flags.BoolVar(&f.kind.Secret, "secret", false, "With --config: the name is that of a Secret.")
	flags.BoolVar(&f.stale, "stale", false, "As --config, for every ConfigMap and Secret that workloads reference.")
	f.AddMode(cmd)
	cli.AddSkipChecks(cmd, &f.SkipChecks)
	cmdutil.AddDryRunFlag(cmd)
	f.DryRunFlag = func() (rollout.DryRun, string, error) { return cli.DryRunOf(cmd) }
}

func (f *staleFlags) given() bool { return f.config != "" || f.stale }

// checkStale returns an error for flags that exclude each other.
func (f *restartFlags) checkStale(args []string) error {
	dryRun, _, err := f.DryRunFlag()
	switch {
	case err != nil:
		return err
	case !f.given() && (f.KeepLive || f.InPlace || f.Pin || f.SkipChecks || dryRun != rollout.DryRunNone):
		return cli.UsageError(errors.New("--keep-live, --in-place, --pin, --skip-checks and --dry-run go with --config or --stale"))
	case f.kind.Secret && f.config == "":
		return cli.UsageError(errors.New("--secret goes with --config"))
	case f.config != "" && f.stale:
		return cli.UsageError(errors.New("--config and --stale exclude each other; give one of them"))
	case f.given():
		return f.checkAlone(args)
	}
	return nil
}

// checkAlone returns an error for arguments that --config and --stale do not support. Names of workloads are among them:
// without this check, more workloads would restart than the user has named.
func (f *restartFlags) checkAlone(args []string) error {
	switch {
	case len(args) > 0 || f.InFiles() || f.Selector != "":
		return cli.UsageError(errors.New("--config and --stale find the workloads themselves; name none, neither as TYPE/NAME nor with -f, -k or -l"))
	case f.force || *f.Print.TemplatePrinterFlags.TemplateArgument != "":
		return cli.UsageError(errors.New("--force and --template do not go with --config and --stale; leave them out"))
	}
	return nil
}

// restartStale rolls out exactly those workloads that do not run with the present content.
func (f *restartFlags) restartStale(ctx context.Context, env *cli.Env) error {
	s := &f.staleFlags
	s.RolloutFlags, s.FieldManager, s.WaitFlags, s.Yes = f.RolloutFlags, f.FieldManager, f.WaitFlags, true
	s.Output = *f.Print.OutputFormat
	env, err := env.Telling(s.Output)
	if err != nil {
		return err
	}
	session, err := configuration.CurrentSession(env)
	if err != nil {
		return err
	}
	ctx, cancel := env.WithTimeout(ctx, f.Timeout)
	defer cancel()
	contents, workloads, err := s.contents(ctx, session)
	if err != nil {
		return err
	}
	planned := map[types.UID]bool{}
	// Each workload takes the contents of all objects along, so that none is rolled out twice.
	for _, object := range slices.SortedFunc(maps.Keys(contents), configmap.Object.Compare) {
		c, err := s.NewChanger(env, session.Namespace)
		if err != nil {
			return err
		}
		found, err := c.Reader.Get(ctx, object)
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		c.Workloads, c.Planned = workloads, planned
		if err := c.CatchUp(ctx, &store.Live{Object: object, State: found}, contents); err != nil {
			return err
		}
		workloads = c.Workloads
	}
	return nil
}

// contents returns the contents of the objects whose users may need a rollout. If it has read all workloads, it returns
// them too.
func (f *staleFlags) contents(ctx context.Context, s *configuration.ConfigSession) (map[configmap.Object]*configmap.Content, []impact.Workload, error) {
	if f.config != "" {
		object, err := f.kind.Object(f.config)
		if err != nil {
			return nil, nil, cli.FlagError("config", f.config, err)
		}
		return f.named(ctx, s, object)
	}
	workloads, err := s.Reader.Workloads(ctx)
	if err != nil {
		return nil, nil, err
	}
	named, err := restore.Referenced(ctx, s.Session, workloads)
	if err != nil {
		return nil, nil, err
	}
	contents := map[configmap.Object]*configmap.Content{}
	for _, head := range slices.SortedFunc(maps.Keys(named), configmap.Object.Compare) {
		found, err := s.Reader.Get(ctx, head)
		switch {
		case context.Cause(ctx) != nil:
			return nil, nil, context.Cause(ctx)
		case apierrors.IsNotFound(err):
			needed, err := s.GoneFrom(ctx, head, workloads)
			if err != nil {
				return nil, nil, err
			}
			if needed {
				contents[head] = nil
			}
			continue
		case err != nil:
			s.Tell("warning: %s is passed over: %v", head, err)
			continue
		}
		needed, text := named[head], ""
		if !needed {
			if needed, text, err = s.Outdated(ctx, head, found, workloads); err != nil {
				return nil, nil, err
			}
		}
		if needed {
			contents[head] = found.Content
		} else {
			s.Settled(head, text)
		}
	}
	return contents, workloads, nil
}
