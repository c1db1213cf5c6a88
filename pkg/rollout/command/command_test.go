package command

import (
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestConnectionIsAddedToCommands(t *testing.T) {
	t.Parallel()
	c := Connection{}.With("context", "prod").With("kubeconfig", "/tmp/a b/config").WithSet("insecure-skip-tls-verify", "true").WithVariable("token", "TOKEN")
	const flags = ` --context prod --kubeconfig "/tmp/a b/config" --insecure-skip-tls-verify=true --token "$TOKEN"`
	for text, want := range map[string]string{
		"it stands; 'kubectl rollout-plus resume deployment/web -n shop' goes on, 'kubectl rollout-plus abort deployment/web -n shop' goes back": "it stands; 'kubectl rollout-plus resume deployment/web -n shop" + flags +
			"' goes on, 'kubectl rollout-plus abort deployment/web -n shop" + flags + "' goes back",
		"managed with 'kubectl apply'":                        "managed with 'kubectl apply'",
		"resume it first with 'kubectl rollout resume'":       "resume it first with 'kubectl rollout resume'",
		"see 'kubectl rollout-plus undo --help'":              "see 'kubectl rollout-plus undo --help'",
		"'kubectl config get-contexts' lists those there are": `'kubectl config get-contexts --kubeconfig "/tmp/a b/config"' lists those there are`,
		"it isn't there, and can't be":                        "it isn't there, and can't be",
		"'kubectl get namespaces' lists":                      "'kubectl get namespaces" + flags + "' lists",
	} {
		got := c.Text(text)
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
		if again := c.Text(got); again != got {
			t.Errorf("%s\nbecomes %s", got, again)
		}
		if got := (Connection{}).Text(text); got != text {
			t.Errorf("without flags: %s", got)
		}
	}
	line := c.Line("kubectl describe pod web-1 -n shop")
	if again := c.Line(line); line != "kubectl describe pod web-1 -n shop"+flags || again != line {
		t.Errorf("%s, then %s", line, again)
	}
}

// A command is found again in a sentence whatever the flags have in them, and told twice it has them once.
func TestTextKnowsItsOwnCommands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := Connection{}.With("context", rapid.StringMatching(`[ -~äß]{0,12}`).Draw(t, "context"))
		text := c.Text("it stands; 'kubectl rollout-plus resume deployment/web -n shop' goes on, 'kubectl get pods -n shop' tells")
		want := "it stands; '" + c.Line("kubectl rollout-plus resume deployment/web -n shop") + "' goes on, '" + c.Line("kubectl get pods -n shop") + "' tells"
		if text != want || c.Text(text) != text {
			t.Fatalf("%s\nbecomes %s", text, c.Text(text))
		}
	})
}

// A shell reads a word as the value that it stands for.
func TestWordsAreReadByAShell(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.StringMatching(`[ -~äß]{0,12}`), 1, 20).Draw(t, "values")
		words := make([]string, len(values))
		for i, value := range values {
			words[i] = Word(value)
		}
		out, err := exec.Command(sh, "-c", `printf '%s\n' `+strings.Join(words, " ")).Output()
		if want := strings.Join(values, "\n") + "\n"; err != nil || string(out) != want {
			t.Fatalf("%q: got %q, %v", words, out, err)
		}
	})
}
