package configuration

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
)

// WireFlags select how configuration gets into a container. create deployment and config attach share them.
type WireFlags struct {
	Kind                     KindFlag
	envFrom, envKeys, mounts []string
}

// Add adds the flags to a command.
func (f *WireFlags) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.envFrom, "env-from-config", nil,
		"All keys of a ConfigMap as variables, as CM[:PREFIX]; secret/NAME is a Secret, here and below. May be repeated.")
	flags.StringArrayVar(&f.envKeys, "env-from-config-key", nil, "A variable from one key, as VAR=CM:KEY. May be repeated.")
	flags.StringArrayVar(&f.mounts, "mount-config", nil,
		"Keys as files, as CM[:KEY[,KEY...]]=/FOLDER, or one as CM:KEY=/FOLDER/FILE. May be repeated.")
}

// Wires parses the flags.
func (f *WireFlags) Wires() ([]attach.Wire, error) {
	var all []attach.Wire
	for _, each := range []struct {
		flag   string
		values []string
		parse  func(string) (attach.Wire, error)
	}{
		{"env-from-config", f.envFrom, f.parseEnvFrom},
		{"env-from-config-key", f.envKeys, f.parseEnvKey},
		{"mount-config", f.mounts, f.parseMount},
	} {
		for _, value := range each.values {
			wire, err := each.parse(value)
			if err != nil {
				return nil, cli.FlagError(each.flag, value, err)
			}
			all = append(all, wire)
		}
	}
	return all, nil
}

func (f *WireFlags) parseEnvFrom(value string) (attach.Wire, error) {
	name, prefix, prefixed := strings.Cut(value, ":")
	head, err := f.Kind.Object(name)
	if err != nil {
		return attach.Wire{}, err
	}
	if prefixed {
		if problems := validation.IsEnvVarName(prefix); len(problems) > 0 {
			return attach.Wire{}, fmt.Errorf("%q cannot begin the name of a variable: %s", prefix, problems[0])
		}
	}
	return attach.Wire{Source: configmap.FromEnvFrom, Head: head, Prefix: prefix}, nil
}

func (f *WireFlags) parseEnvKey(value string) (attach.Wire, error) {
	variable, rest, found := strings.Cut(value, "=")
	name, key, keyed := strings.Cut(rest, ":")
	if !found || !keyed {
		return attach.Wire{}, errors.New("expected VAR=CM:KEY")
	}
	if problems := validation.IsEnvVarName(variable); len(problems) > 0 {
		return attach.Wire{}, fmt.Errorf("%q is not the name of a variable: %s", variable, problems[0])
	}
	head, err := f.Kind.Object(name)
	if err != nil {
		return attach.Wire{}, err
	}
	return attach.Wire{Source: configmap.FromEnv, Head: head, Variable: variable, Keys: []string{key}}, checkKeys([]string{key})
}

func (f *WireFlags) parseMount(value string) (attach.Wire, error) {
	what, at, found := strings.Cut(value, "=")
	if !found || !path.IsAbs(at) || path.Clean(at) == "/" || strings.Contains(at, ":") {
		return attach.Wire{}, errors.New("expected CM[:KEY[,KEY...]]=/PATH, with an absolute path")
	}
	name, list, keyed := strings.Cut(what, ":")
	head, err := f.Kind.Object(name)
	if err != nil {
		return attach.Wire{}, err
	}
	wire := attach.Wire{Source: configmap.FromVolume, Head: head, Path: at}
	if !keyed {
		return wire, nil
	}
	wire.Keys = strings.Split(list, ",")
	wire.File = len(wire.Keys) == 1 && !strings.HasSuffix(at, "/")
	return wire, checkKeys(wire.Keys)
}

func checkKeys(keys []string) error {
	for _, key := range keys {
		if problems := validation.IsConfigMapKey(key); len(problems) > 0 {
			return fmt.Errorf("%q is not a key: %s", key, problems[0])
		}
	}
	return nil
}

// ErrNoWire refuses a command line that attaches nothing.
var ErrNoWire = errors.New("nothing to attach is given: use --env-from-config, --env-from-config-key or --mount-config")

// AtDash splits the arguments at --: the first are the command's own, the rest are a container's.
func AtDash(cmd *cobra.Command, args []string) (own, containers []string) {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		return args[:dash], args[dash:]
	}
	return args, nil
}
