package app

import (
	"strings"
	"testing"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
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
		if code != cli.ExitUsage || !strings.Contains(errOut, want) || !strings.HasPrefix(errOut, "error: ") || out != "" {
			t.Errorf("%s: exit code %d, out %q, err %q; want %q", line, code, out, errOut, want)
		}
	}
	for _, line := range []string{"config", "config affected"} {
		code, out, errOut := call(t, append(strings.Fields(line), "--help")...)
		if code != cli.ExitDone || errOut != "" || !strings.Contains(out, "kubectl rollout-plus") {
			t.Errorf("%q: exit code %d, %s\n%s", line, code, errOut, out)
		}
		for text := range strings.Lines(out) {
			if len(text) > 81 && !strings.HasPrefix(text, `Use "`) { // cobra's own line
				t.Errorf("%s: more than 80 columns: %s", line, text)
			}
		}
	}
}
