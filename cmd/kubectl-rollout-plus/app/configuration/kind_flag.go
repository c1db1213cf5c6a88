package configuration

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/validation"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// KindFlag decides the kind of a name given without one: a ConfigMap or, with --secret, a Secret.
type KindFlag struct{ Secret bool }

// Add adds --secret to a command.
func (f *KindFlag) Add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.Secret, "secret", false, "NAME stands for secret/NAME.")
}

// Object parses NAME, configmap/NAME or secret/NAME.
func (f *KindFlag) Object(argument string) (configmap.Object, error) {
	kind, name, found := strings.Cut(argument, "/")
	if !found {
		kind, name = "configmap", argument
		if f.Secret {
			kind = "secret"
		}
	}
	if problems := validation.NameIsDNSSubdomain(name, false); len(problems) > 0 {
		return configmap.Object{}, fmt.Errorf("%q is not the name of a ConfigMap or Secret: %s", name, problems[0])
	}
	switch strings.ToLower(kind) {
	case "configmap", "configmaps", "cm":
		if f.Secret {
			return configmap.Object{}, fmt.Errorf("--secret is for Secrets, and %q names a ConfigMap; leave one of the two out", argument)
		}
		return configmap.Object{Kind: configmap.ConfigMap, Name: name}, nil
	case "secret", "secrets":
		return configmap.Object{Kind: configmap.Secret, Name: name}, nil
	}
	return configmap.Object{}, fmt.Errorf("name the object as configmap/NAME or secret/NAME, not %q", argument)
}
