package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

func TestConfigBadInputIsAUsageError(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"config affected":                                                    "requires at least 1 arg",
		"config affected pod/web":                                            "configmap/NAME or secret/NAME",
		"config affected web/":                                               "not the name",
		"config affected We_b":                                               "not the name",
		"config affected configmap/a/b":                                      "not the name",
		"config affected web a":                                              "invalid literal source a, expected key=value",
		"config affected web a_b/c=1":                                        "not a valid key name",
		"config affected web a=1\xff":                                        `the value of key "a" is not UTF-8`,
		"config set web a=1\xff --yes":                                       `the value of key "a" is not UTF-8`,
		"config affected web a=1 a=2":                                        "cannot add key",
		"config affected web a=1 a-":                                         "both set and removed",
		"config affected web --from-file=nope":                               "error reading nope: no such file or directory",
		"config affected web --from-literal=a=1 --from-env-file=x":           "from-env-file cannot be combined",
		"config affected secret/web a=1 --from-env-file=x":                   "from-env-file cannot be combined",
		"config affected secret/web --from-file=nope":                        "error reading nope: no such file or directory",
		"config affected web -o yaml":                                        "expected wide, json",
		"config set --secret configmap/web a=1 --yes":                        `--secret is for Secrets, and "configmap/web" names a ConfigMap`,
		"config affected --secret cm/web":                                    `--secret is for Secrets, and "cm/web" names a ConfigMap`,
		"config edit --secret cm/web":                                        `--secret is for Secrets, and "cm/web" names a ConfigMap`,
		"config history --secret cm/web":                                     `--secret is for Secrets, and "cm/web" names a ConfigMap`,
		"config detach deployment/web cm/web --secret":                       `--secret is for Secrets, and "cm/web" names a ConfigMap`,
		"config attach deployment/web --secret --mount-config cm/web=/x":     `--mount-config "cm/web=/x": --secret is for Secrets, and "cm/web" names a ConfigMap`,
		"restart --config cm/web --secret":                                   `--config "cm/web": --secret is for Secrets, and "cm/web" names a ConfigMap`,
		"config watch --debounce -1s":                                        `--debounce "-1s"`,
		"config watch --debounce x":                                          "--debounce",
		"config watch --steps 0":                                             "--steps",
		"config watch --secret web cm/a":                                     `--secret is for Secrets, and "cm/a" names a ConfigMap`,
		"config watch pod/web":                                               "configmap/NAME or secret/NAME",
		"config watch --pin --in-place":                                      "exclude each other",
		"config attach deployment/web --env-from-config a --pin --in-place":  "exclude each other",
		"start deployment/web --image web:v2 --keep-config":                  "--keep-config and --shared-config go with --to-revision",
		"start deployment/web --to-revision 1 --keep-config --shared-config": "exclude each other",
		"restart --stale --secret":                                           "--secret goes with --config",
	} {
		code, out, errOut := call(t, strings.Fields(line)...)
		if code != ExitUsage || !strings.Contains(errOut, want) || !strings.HasPrefix(errOut, "error: ") || out != "" {
			t.Errorf("%s: exit code %d, out %q, err %q; want %q", line, code, out, errOut, want)
		}
	}
	for _, line := range []string{"config", "config affected"} {
		code, out, errOut := call(t, append(strings.Fields(line), "--help")...)
		if code != ExitDone || errOut != "" || !strings.Contains(out, "kubectl rollout-plus") {
			t.Errorf("%q: exit code %d, %s\n%s", line, code, errOut, out)
		}
		for text := range strings.Lines(out) {
			if len(text) > 81 && !strings.HasPrefix(text, `Use "`) { // cobra's own line
				t.Errorf("%s: more than 80 columns: %s", line, text)
			}
		}
	}
}

func TestConfigObject(t *testing.T) {
	t.Parallel()
	for _, argument := range []string{"web", "secret/web", "Secrets/web"} {
		if got, err := (&kindFlag{secret: true}).object(argument); err != nil || got != (configmap.Object{Kind: configmap.Secret, Name: "web"}) {
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
		if got, err := (&kindFlag{}).object(argument); err != nil || got != want {
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
	env := &environment{IOStreams: genericiooptions.NewTestIOStreamsDiscard()}
	for _, object := range []configmap.Object{{Kind: configmap.ConfigMap, Name: "web"}, {Kind: configmap.Secret, Name: "web"}} {
		source := configSource{
			files: []string{filepath.Join(dir, "text"), "b=" + filepath.Join(dir, "raw"), filepath.Join(dir, "empty")}, literals: []string{"l=a=b"},
		}
		p, err := source.proposal(env, object, []string{"old-", "k=", "dash=-"})
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
		source = configSource{envFiles: []string{filepath.Join(dir, "lines.env")}}
		if p, err = source.proposal(env, object, nil); err != nil || p.Put.Text["A"] != "1" || p.Put.Text["B"] != "x=y" {
			t.Errorf("%s: %v, %v", object, p, err)
		}
		if p, err = (&configSource{}).proposal(env, object, nil); err != nil || p != nil {
			t.Errorf("nothing proposed: %v, %v", p, err)
		}
	}
}
