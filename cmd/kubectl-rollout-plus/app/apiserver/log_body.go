package apiserver

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// hidden replaces text that must not be logged.
const hidden = "***"

// loggedBody returns a body in the form that may be logged. It hides Secrets and tokens, and bodies that it cannot parse.
func loggedBody(path, contentType string, body []byte) string {
	for _, segment := range strings.Split(path, "/") {
		if segment == "secrets" || segment == "token" {
			return fmt.Sprintf("%s (%d bytes of %s)", hidden, len(body), segment)
		}
	}
	var value any
	if json.Unmarshal(body, &value) != nil {
		return fmt.Sprintf("%s (%d bytes of %s)", hidden, len(body), contentType)
	}
	text, _ := json.Marshal(withoutSecrets(value)) // encoding what was JSON always works
	return string(text)
}

// withoutSecrets hides the values of Secrets in a JSON value. It also searches strings that contain JSON, such as the
// annotation of kubectl apply.
func withoutSecrets(value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = withoutSecrets(v[i])
		}
	case map[string]any:
		return objectWithoutSecrets(v)
	case string:
		return textWithoutSecrets(v)
	}
	return value
}

func objectWithoutSecrets(object map[string]any) map[string]any {
	kind, _ := object["kind"].(string)
	for key, value := range object {
		switch {
		case kind == "Secret" && slices.Contains([]string{"data", "stringData"}, key):
			object[key] = hidden
		case kind == "SecretList" && key == "items":
			object[key] = hidden
		case key == corev1.LastAppliedConfigAnnotation:
			text, _ := value.(string)
			if object[key] = textWithoutSecrets(text); !json.Valid([]byte(text)) {
				object[key] = hidden
			}
		default:
			object[key] = withoutSecrets(value)
		}
	}
	return object
}

// textWithoutSecrets hides the values of Secrets in a text that is JSON. It hides the whole text if it may contain them in
// another form.
func textWithoutSecrets(text string) string {
	var value any
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		if json.Unmarshal([]byte(trimmed), &value) == nil {
			within, _ := json.Marshal(withoutSecrets(value)) // encoding what was JSON always works
			return string(within)
		}
	}
	if strings.Contains(text, "Secret") && (strings.Contains(text, "data:") || strings.Contains(text, `data"`) || strings.Contains(text, "stringData")) {
		return hidden
	}
	return text
}
