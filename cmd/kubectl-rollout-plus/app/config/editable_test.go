package config

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// TestSavingWithoutAnEditChangesNothing has editors save what they were given.
func TestSavingWithoutAnEditChangesNothing(t *testing.T) {
	t.Parallel()
	// What YAML gives a meaning of its own, or does not take.
	odd := rapid.SampledFrom([]string{
		"a\u0085b", "a\u0085b\nc", "\r\n", "\r", "\u2028", "x\u2029\ny", "\ufeff", "\x7f", "\u009f", "\x00", "\x1b[1m", "\ufffe", "\U0001f600",
		"yes", "0644", "1.10", "12:30", "null", "~", "", " ", "  lead\n x", "\n\n", "\ta\n", "a: b\n# c\n", "--- \n", "<<", "'", `"`, `\u0085`,
	})
	value := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(odd, rapid.String()), 0, 4).Draw(t, "parts"), "")
	})
	key := rapid.OneOf(rapid.StringMatching(`[-._a-zA-Z0-9]{1,8}`), rapid.SampledFrom([]string{"yes", "1.10", "0644", "null", "-", "1e3"}))
	rapid.Check(t, func(t *rapid.T) {
		content := &configmap.Content{Text: rapid.MapOfN(key, value, 0, 4).Draw(t, "text"), Binary: map[string][]byte{}}
		object := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
		if rapid.Bool().Draw(t, "secret") {
			object.Kind, content.Type = configmap.Secret, corev1.SecretTypeOpaque
		} else {
			content.Binary = rapid.MapOfN(rapid.StringMatching(`binary-[a-z]`), rapid.SliceOf(rapid.Byte()), 0, 2).Draw(t, "binary")
		}
		if configmap.CheckKeys(object, content) != nil {
			t.Skip("no such keys can be")
		}
		text, err := editableText(object, content)
		if err != nil {
			t.Fatal(err)
		}
		saved, err := parseEdited(object, content, withoutComments(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !saved.Equal(content) {
			t.Fatalf("%v became %v by\n%s", content, saved, text)
		}
	})
}

// TestWhatIsNoTextIsRefused has people write values without quotes that YAML takes for something else.
func TestWhatIsNoTextIsRefused(t *testing.T) {
	t.Parallel()
	const about = "apiVersion: v1\nkind: %\nmetadata: {name: web}\n"
	for _, value := range []string{"0644", "1.10", "yes", "0.123456789", "[a]", "{a: b}", "1e3"} {
		for kind, field := range map[configmap.Kind]string{configmap.ConfigMap: "data", configmap.Secret: "stringData"} {
			object, text := configmap.Object{Kind: kind, Name: "web"}, field+":\n  mode: "+value+"\n"
			_, err := parseEdited(object, &configmap.Content{}, []byte(text))
			if err == nil || err.Error() != `the value of key "mode" is no text to YAML; write it in quotes` {
				t.Errorf("edit of %s, %s: %v", kind, value, err)
			}
			_, err = parseConfig([]byte(strings.ReplaceAll(about, "%", string(kind)) + text))
			if err == nil || kind == configmap.Secret && strings.Contains(err.Error(), value) {
				t.Errorf("apply of %s, %s: %v", kind, value, err)
			}
			quoted, err := parseEdited(object, &configmap.Content{}, []byte(field+":\n  mode: '"+value+"'\n"))
			if err != nil || quoted.Text["mode"] != value {
				t.Errorf("edit of %s, '%s': %v, %v", kind, value, quoted, err)
			}
		}
	}
}
