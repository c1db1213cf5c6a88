package configmap

import (
	"fmt"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// CheckSize refuses a content that is too large for the API server.
func CheckSize(object Object, content *Content) error {
	size := 0
	for _, value := range content.Text {
		size += len(value)
	}
	for _, value := range content.Binary {
		size += len(value)
	}
	if size > corev1.MaxSecretSize {
		return fmt.Errorf("%s would hold %d bytes, and at most %d are allowed", object, size, corev1.MaxSecretSize)
	}
	return nil
}

// CheckKeys refuses invalid keys, and keys that are both text and binary data. It also refuses text of a ConfigMap that is not
// UTF-8. Such text would be altered on its way to the API server.
func CheckKeys(object Object, content *Content) error {
	for _, key := range content.Keys() {
		if problems := validation.IsConfigMapKey(key); len(problems) > 0 {
			return fmt.Errorf("%q is not a valid key name: %s", key, problems[0])
		}
		if _, both := content.Binary[key]; both {
			if _, text := content.Text[key]; text {
				return fmt.Errorf("key %q is in data and in binaryData; leave it in one", key)
			}
		}
		if object.Kind == ConfigMap && !utf8.ValidString(content.Text[key]) {
			return fmt.Errorf("the value of key %q is not UTF-8; give it as a file, with --from-file, or as base64 in binaryData", key)
		}
	}
	return nil
}
