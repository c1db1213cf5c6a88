package configuration

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

func TestConfigObject(t *testing.T) {
	t.Parallel()
	for _, argument := range []string{"web", "secret/web", "Secrets/web"} {
		if got, err := (&KindFlag{Secret: true}).Object(argument); err != nil || got != (configmap.Object{Kind: configmap.Secret, Name: "web"}) {
			t.Errorf("--secret %s: %v, %v", argument, got, err)
		}
	}
	for argument, want := range map[string]configmap.Object{
		"web":            {Kind: configmap.ConfigMap, Name: "web"},
		"cm/web":         {Kind: configmap.ConfigMap, Name: "web"},
		"ConfigMap/w.eb": {Kind: configmap.ConfigMap, Name: "w.eb"},
		"configmaps/web": {Kind: configmap.ConfigMap, Name: "web"},
		"secret/web":     {Kind: configmap.Secret, Name: "web"},
		"secrets/web":    {Kind: configmap.Secret, Name: "web"},
	} {
		if got, err := (&KindFlag{}).Object(argument); err != nil || got != want {
			t.Errorf("%s: %v, %v", argument, got, err)
		}
	}
}

// TestConfigSource reads keys and values as kubectl's create does, byte for byte.
func TestConfigSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"text": "line\n", "raw": "\xff\x00", "empty": "", "lines.env": "A=1\nB=x=y\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := &cli.Env{IOStreams: genericiooptions.NewTestIOStreamsDiscard()}
	for _, object := range []configmap.Object{{Kind: configmap.ConfigMap, Name: "web"}, {Kind: configmap.Secret, Name: "web"}} {
		source := ConfigSource{
			files: []string{filepath.Join(dir, "text"), "b=" + filepath.Join(dir, "raw"), filepath.Join(dir, "empty")}, literals: []string{"l=a=b"},
		}
		p, err := source.Proposal(env, object, []string{"old-", "k=", "dash=-"})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"text": "line\n", "empty": "", "l": "a=b", "k": "", "dash": "-"}
		raw := string(p.Put.Binary["b"])
		if object.Kind == configmap.Secret {
			raw = p.Put.Text["b"]
		}
		for key, value := range want {
			if got, found := p.Put.Text[key]; !found || got != value {
				t.Errorf("%s %s: %q, want %q", object, key, got, value)
			}
		}
		if raw != "\xff\x00" || !slices.Equal(p.Removed, []string{"old"}) || len(p.Put.Keys()) != 6 {
			t.Errorf("%s: %v, removed %v", object, p.Put, p.Removed)
		}
		source = ConfigSource{envFiles: []string{filepath.Join(dir, "lines.env")}}
		if p, err = source.Proposal(env, object, nil); err != nil || p.Put.Text["A"] != "1" || p.Put.Text["B"] != "x=y" {
			t.Errorf("%s: %v, %v", object, p, err)
		}
		if p, err = (&ConfigSource{}).Proposal(env, object, nil); err != nil || p != nil {
			t.Errorf("nothing proposed: %v, %v", p, err)
		}
	}
}
