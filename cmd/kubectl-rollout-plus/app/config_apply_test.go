package app

import (
	"strings"
	"testing"
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
		_, _, _, err := parseConfig([]byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
