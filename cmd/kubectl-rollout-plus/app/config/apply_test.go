package config

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

func TestParseConfig(t *testing.T) {
	t.Parallel()
	const config, secret = `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, `, `{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, `
	for text, want := range map[string]string{
		config + `"data": {"a": "1"}}`:                                  "",
		config + "\"data\": {\"a\": \"1\xff\"}}":                        "it is not UTF-8",
		secret + "\"stringData\": {\"a\": \"1\xff\"}}":                  "it is not UTF-8",
		config + `"data": {"a b": "1"}}`:                                `"a b" is not a valid key name`,
		config + `"data": {"a": "1"}, "binaryData": {"a": "MQ=="}}`:     `key "a" is in data and in binaryData`,
		secret + `"data": {"a": "/w=="}}`:                               "",
		`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ""}}`: "expected the manifest of one ConfigMap or Secret",
		config + `"immutable": true}`:                                   "immutable: true would keep it from changing again",
		secret + `"immutable": true}`:                                   "immutable: true would keep it from changing again",
		config + `"immutable": false}`:                                  "",
	} {
		_, err := parseConfig([]byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestWhatIsCreatedHasTheManifestsLabels leaves out what a manifest has that was made of a version or by kubectl apply.
func TestWhatIsCreatedHasTheManifestsLabels(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"ConfigMap", "Secret"} {
		m, err := parseConfig([]byte(`{"apiVersion": "v1", "kind": "` + kind + `", "metadata": {"name": "web", "uid": "1",
			"labels": {"team": "shop", "rollout-plus/config": "web"}, "annotations": {"note": "x", "rollout-plus/head": "web",
			"rollout-plus/sha256": "1", "rollout-plus/claimed": "1", "kubectl.kubernetes.io/last-applied-configuration": "{}"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		want := metav1.ObjectMeta{Labels: map[string]string{"team": "shop"}, Annotations: map[string]string{"note": "x"}}
		if !equality.Semantic.DeepEqual(m.made, want) {
			t.Errorf("%s: %v", kind, m.made)
		}
	}
}

// TestParserErrorsShowNothingOfASecret has parsers fail at what they quote.
func TestParserErrorsShowNothingOfASecret(t *testing.T) {
	t.Parallel()
	const about = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\n"
	for text, want := range map[string]string{
		"stringData:\n  pw: *hunter2\n":                 "values that begin with * or & are quoted",
		"stringData:\n  pw: {hunter2\n":                 "line ",
		"stringData:\n  pw: hunter2: x\n":               "line ",
		"stringData: hunter2\n":                         "it does not parse as a Secret",
		"hunter2: x\n":                                  "it does not parse as a Secret",
		"data: {pw: hunter2!}\n":                        "see whether data is base64",
		"stringData:\n  pw: *hunter2\n  a: 'line 2: x'": "values that begin with * or & are quoted",
	} {
		_, applied := parseConfig([]byte(about + text))
		_, edited := parseEdited(configmap.Object{Kind: configmap.Secret, Name: "login"}, &configmap.Content{}, []byte(text))
		for _, err := range []error{applied, edited} {
			if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", text, err, want)
			}
		}
	}
	_, err := parseConfig([]byte(about + "---\n" + about))
	if err == nil || !strings.Contains(err.Error(), "more than one object") {
		t.Error(err)
	}
	_, err = parseConfig([]byte(strings.ReplaceAll(about, "Secret", "ConfigMap") + "data:\n  color: *red\n"))
	if err == nil || !strings.Contains(err.Error(), "unknown anchor 'red'") {
		t.Error(err)
	}
}
