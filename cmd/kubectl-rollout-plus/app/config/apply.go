package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"unicode/utf8"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

type configApplyFlags struct {
	configuration.ChangeFlags
	filename string
}

func newConfigApplyCommand(env *cli.Env) *cobra.Command {
	f := &configApplyFlags{}
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Give a ConfigMap or Secret a manifest's content, and roll it out",
		Long: "Give a ConfigMap or Secret the content of a manifest, and roll it out. Keys\n" +
			"that the manifest lacks are removed. If the object does not exist, it is\n" +
			"created with the manifest's labels and annotations; otherwise its own stay.\n\n" + configuration.ConfigChangeHelp,
		Example: "  # The ConfigMap of a manifest\n  kubectl rollout-plus config apply -f web-config.yaml",
		Args:    cli.Arguments(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), env) },
	}
	cmd.Flags().StringVarP(&f.filename, "filename", "f", "", "A manifest of one ConfigMap or Secret, or - for standard input.")
	f.Add(cmd)
	return cmd
}

func (f *configApplyFlags) run(ctx context.Context, env *cli.Env) error {
	if f.filename == "" {
		return cli.UsageError(errors.New("-f FILE is required"))
	}
	text, err := env.ReadFile(f.filename)
	if err != nil {
		return cli.FlagError("filename", f.filename, err)
	}
	manifest, err := parseConfig(text)
	if err != nil {
		return cli.FlagError("filename", f.filename, err)
	}
	if err := env.TakeNamespace(manifest.namespace); err != nil {
		return err
	}
	return f.Change(ctx, env, manifest.object, func(c *configuration.Changer) error {
		if err := c.Head.GiveType(manifest.content, c.Namespace); err != nil {
			return err
		}
		c.Want, c.Head.Made = manifest.content, manifest.made
		return cli.UsageError(configmap.CheckSize(manifest.object, manifest.content))
	})
}

// configManifest is the manifest of one ConfigMap or Secret.
type configManifest struct {
	object    configmap.Object
	content   *configmap.Content
	namespace string
	// made holds the labels and annotations that the object gets if it is created.
	made metav1.ObjectMeta
}

// parseConfig reads the manifest of one ConfigMap or Secret.
func parseConfig(text []byte) (*configManifest, error) {
	if !utf8.Valid(text) { // JSON parsing would replace the invalid bytes
		return nil, errors.New("it is not UTF-8; save it as that, with other bytes as base64")
	}
	found, err := cli.OnlyObject(bytes.TrimSpace(text))
	switch {
	case err == nil:
	case !errors.Is(err, cli.ErrManyObjects) && bytes.Contains(bytes.ToLower(text), []byte("secret")): // the kind is unknown after a parse error
		return nil, withoutValues(err)
	default:
		return nil, err
	}
	m := &configManifest{object: configmap.Object{Kind: configmap.Kind(found.GetKind()), Name: found.GetName()}, namespace: found.GetNamespace()}
	if found.GetAPIVersion() != "v1" || m.object.Kind != configmap.ConfigMap && m.object.Kind != configmap.Secret || m.object.Name == "" {
		return nil, fmt.Errorf("expected the manifest of one ConfigMap or Secret (v1) with a name, found kind %q, apiVersion %q, name %q",
			found.GetKind(), found.GetAPIVersion(), found.GetName())
	}
	if immutable, _, _ := unstructured.NestedBool(found.Object, "immutable"); immutable {
		return nil, errors.New("immutable: true would keep it from changing again; leave that out, since pods get immutable versions anyway")
	}
	converter := runtime.DefaultUnstructuredConverter
	if m.object.Kind == configmap.Secret {
		var secret corev1.Secret
		if err := converter.FromUnstructuredWithValidation(found.Object, &secret, true); err != nil {
			return nil, withoutValues(err)
		}
		m.content, m.made = configmap.ContentOfSecret(&secret), metaToMake(&secret.ObjectMeta)
		maps.Copy(m.content.Text, secret.StringData)
		return m, configmap.CheckKeys(m.object, m.content)
	}
	var config corev1.ConfigMap
	if err := converter.FromUnstructuredWithValidation(found.Object, &config, true); err != nil {
		return nil, err
	}
	m.content, m.made = configmap.ContentOfConfigMap(&config), metaToMake(&config.ObjectMeta)
	return m, configmap.CheckKeys(m.object, m.content)
}

// metaToMake returns the labels and annotations of a manifest. It drops those that mark versions, since the manifest may be
// made from a version. It also drops the annotation of kubectl apply, since this command is not kubectl apply.
func metaToMake(meta *metav1.ObjectMeta) metav1.ObjectMeta {
	made := metav1.ObjectMeta{Labels: maps.Clone(meta.Labels), Annotations: maps.Clone(meta.Annotations)}
	delete(made.Labels, configmap.HeadLabel)
	for _, own := range []string{
		configmap.HeadAnnotation, configmap.SumAnnotation, configmap.SealAnnotation, configmap.OriginAnnotation, configmap.ClaimAnnotation,
		corev1.LastAppliedConfigAnnotation,
	} {
		delete(made.Annotations, own)
	}
	return made
}

var lineInError = regexp.MustCompile(`\byaml: (?:unmarshal errors:\s+)?(line [0-9]+):`)

// withoutValues returns a parser's error without the text it quotes, which may be part of a Secret.
func withoutValues(err error) error {
	var noText *noTextError
	if errors.As(err, &noText) {
		return noText
	}
	if found := lineInError.FindStringSubmatch(err.Error()); found != nil {
		return fmt.Errorf("it does not parse at or near %s", found[1])
	}
	return errors.New("it does not parse as a Secret; see whether data is base64, all fields are known, and values that begin with * or & are quoted")
}
