package app

import (
	"context"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

type configEditFlags struct {
	changeFlags
	kind kindFlag
}

func newConfigEditCommand(env *environment) *cobra.Command {
	f := &configEditFlags{}
	cmd := &cobra.Command{
		Use:   "edit [TYPE/]NAME",
		Short: "Edit a ConfigMap or Secret, and roll out who is affected",
		Long: "Edit a ConfigMap or Secret with the editor of KUBE_EDITOR or EDITOR, and roll\n" +
			"out who is affected. What does not parse is opened again, with the error.\n\n" + configChangeHelp,
		Example: "  # Edit the ConfigMap web\n  KUBE_EDITOR=nano kubectl rollout-plus config edit web",
		Args:    arguments(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd.Context(), env, args) },
	}
	f.kind.add(cmd)
	f.add(cmd)
	return cmd
}

func (f *configEditFlags) run(ctx context.Context, env *environment, args []string) error {
	object, err := f.kind.object(args[0])
	if err != nil {
		return usageError(err)
	}
	e := &editing{object: object}
	return e.end(env, f.change(ctx, env, object, func(c *changer) error {
		if err := c.mustExist(); err != nil {
			return err
		}
		c.want, err = e.edited(c.head.content)
		return err
	}))
}

// editable is what people edit. Of a ConfigMap, what is text is in data; all else is base64.
type editable struct {
	Data       map[string]string `json:"data"`
	BinaryData map[string][]byte `json:"binaryData,omitempty"`
}

// editableSecret is a Secret, whose values may be written as text too.
type editableSecret struct {
	Data       map[string][]byte `json:"data"`
	StringData map[string]string `json:"stringData,omitempty"`
}

func editableText(object configmap.Object, content *configmap.Content) ([]byte, error) {
	if object.Kind == configmap.Secret {
		return yaml.Marshal(editableSecret{Data: content.SecretData()})
	}
	return yaml.Marshal(editable{Data: content.Text, BinaryData: content.Binary})
}

func parseEdited(object configmap.Object, before *configmap.Content, text []byte) (*configmap.Content, error) {
	if object.Kind == configmap.Secret {
		var all editableSecret
		if err := yaml.UnmarshalStrict(text, &all); err != nil {
			return nil, withoutValues(err)
		}
		want := &configmap.Content{Text: map[string]string{}, Type: before.Type}
		for key, value := range all.Data {
			want.Text[key] = string(value)
		}
		for key, value := range all.StringData {
			want.Text[key] = value
		}
		return want, configmap.CheckKeys(object, want)
	}
	var all editable
	if err := yaml.UnmarshalStrict(text, &all); err != nil {
		return nil, err
	}
	want := &configmap.Content{Text: all.Data, Binary: all.BinaryData}
	return want, configmap.CheckKeys(object, want)
}
