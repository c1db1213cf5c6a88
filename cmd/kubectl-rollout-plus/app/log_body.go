package app

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// hidden stands for what is not logged.
const hidden = "***"

// loggedBody is a body as it may be logged. Nothing is shown of Secrets and tokens, and nothing of what cannot be read here.
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
	text, _ := json.Marshal(withoutSecrets(value)) // of what was JSON before
	return string(text)
}

// withoutSecrets is a JSON value without the values of Secrets, also of those in texts that are JSON, as in what kubectl apply
// remembers.
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

// textWithoutSecrets is a text without the values of Secrets that it holds as JSON, or nothing of it where it may hold them
// in another form.
func textWithoutSecrets(text string) string {
	var value any
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		if json.Unmarshal([]byte(trimmed), &value) == nil {
			within, _ := json.Marshal(withoutSecrets(value)) // of what was JSON before
			return string(within)
		}
	}
	if strings.Contains(text, "Secret") && (strings.Contains(text, "data:") || strings.Contains(text, `data"`) || strings.Contains(text, "stringData")) {
		return hidden
	}
	return text
}
