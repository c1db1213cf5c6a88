package app

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/validation"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// kindFlag decides the kind of a name given without one: a ConfigMap or, with --secret, a Secret.
type kindFlag struct{ secret bool }

func (f *kindFlag) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.secret, "secret", false, "NAME stands for secret/NAME.")
}

// object parses NAME, configmap/NAME or secret/NAME.
func (f *kindFlag) object(argument string) (configmap.Object, error) {
	kind, name, found := strings.Cut(argument, "/")
	if !found {
		kind, name = "configmap", argument
		if f.secret {
			kind = "secret"
		}
	}
	if problems := validation.NameIsDNSSubdomain(name, false); len(problems) > 0 {
		return configmap.Object{}, fmt.Errorf("%q is not the name of a ConfigMap or Secret: %s", name, problems[0])
	}
	switch strings.ToLower(kind) {
	case "configmap", "configmaps", "cm":
		if f.secret {
			return configmap.Object{}, fmt.Errorf("--secret is for Secrets, and %q names a ConfigMap; leave one of the two out", argument)
		}
		return configmap.Object{Kind: configmap.ConfigMap, Name: name}, nil
	case "secret", "secrets":
		return configmap.Object{Kind: configmap.Secret, Name: name}, nil
	}
	return configmap.Object{}, fmt.Errorf("name the object as configmap/NAME or secret/NAME, not %q", argument)
}
