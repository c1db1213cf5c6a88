package configuration

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubectlcreate "k8s.io/kubectl/pkg/cmd/create"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// ConfigSource holds the sources of new keys and values: the flags of kubectl create, and arguments KEY=VALUE. An argument
// KEY- removes a key.
type ConfigSource struct {
	files, literals, envFiles []string
}

// Add adds the flags to a command.
func (s *ConfigSource) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&s.files, "from-file", nil, "A file, whose name is the key; KEY=FILE; or a directory, each of whose files is a key.")
	flags.StringArrayVar(&s.literals, "from-literal", nil, "A key and its value, as KEY=VALUE.")
	flags.StringSliceVar(&s.envFiles, "from-env-file", nil, "A file with lines of KEY=VALUE.")
}

// Proposal reads the flags and the arguments after the object. It returns nil if there are none.
func (s *ConfigSource) Proposal(env *cli.Env, object configmap.Object, args []string) (*configmap.Proposal, error) {
	p := &configmap.Proposal{}
	literals := slices.Clone(s.literals)
	for _, argument := range args {
		if key, removes := strings.CutSuffix(argument, "-"); removes && !strings.Contains(argument, "=") {
			p.Removed = append(p.Removed, key)
		} else {
			literals = append(literals, argument)
		}
	}
	if len(s.files)+len(literals)+len(s.envFiles)+len(p.Removed) == 0 {
		return nil, nil
	}
	for _, file := range s.envFiles {
		if err := configmap.CheckEnvFile(file); err != nil {
			return nil, err
		}
	}
	var err error
	if object.Kind == configmap.Secret {
		p.Put, err = s.secret(env, object.Name, literals)
	} else {
		p.Put, err = s.configMap(env, object.Name, literals)
	}
	if err != nil {
		return nil, err
	}
	if err := configmap.CheckKeys(object, p.Put); err != nil {
		return nil, err
	}
	for _, key := range p.Removed {
		if p.Put.Has(key) {
			return nil, fmt.Errorf("key %q is both set and removed", key)
		}
	}
	return p, nil
}

// configMap lets kubectl's create configmap read the flags. It uses kubectl's client dry run, which sends no request.
func (s *ConfigSource) configMap(env *cli.Env, name string, literals []string) (*configmap.Content, error) {
	o := kubectlcreate.NewConfigMapOptions(env.IOStreams)
	o.Name, o.FileSources, o.LiteralSources, o.EnvFileSources = name, s.files, literals, s.envFiles
	o.DryRunStrategy = cmdutil.DryRunClient
	made, err := madeBy[*corev1.ConfigMap](&o.PrintObj, o.Validate, o.Run)
	if err != nil {
		return nil, err
	}
	return configmap.ContentOfConfigMap(made), nil
}

// secret does the same with kubectl's create secret generic.
func (s *ConfigSource) secret(env *cli.Env, name string, literals []string) (*configmap.Content, error) {
	o := kubectlcreate.NewSecretOptions(env.IOStreams)
	o.Name, o.FileSources, o.LiteralSources, o.EnvFileSources = name, s.files, literals, s.envFiles
	o.DryRunStrategy = cmdutil.DryRunClient
	made, err := madeBy[*corev1.Secret](&o.PrintObj, o.Validate, o.Run)
	if err != nil {
		return nil, err
	}
	return configmap.ContentOfSecret(made), nil
}

// madeBy runs one of kubectl's create commands and returns the object that it would print.
func madeBy[T runtime.Object](printObj *func(runtime.Object) error, validate, run func() error) (made T, err error) {
	*printObj = func(object runtime.Object) error {
		var ok bool
		if made, ok = object.(T); !ok {
			return errors.New("kubectl's create made something else")
		}
		return nil
	}
	if err := validate(); err != nil {
		return made, err
	}
	return made, run()
}
