package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// head is the object that people edit.
type head struct {
	object configmap.Object
	// read is nil if the object does not exist. It is then created with the labels and annotations of made.
	*read
	made metav1.ObjectMeta
}

// holds returns the object's content, or nil if it does not exist.
func (h *head) holds() *configmap.Content {
	if h.read == nil {
		return nil
	}
	return h.content
}

// changeable returns an error for an object that cannot be edited.
func (h *head) changeable(namespace string) error {
	if err := h.noVersion(namespace); err != nil || h.read == nil || !h.immutable {
		return err
	}
	return fmt.Errorf("%s in namespace %q is immutable, so it cannot be changed; delete and create it, or change another", h.object, namespace)
}

// noVersion returns an error if the object is a version. Pods run with versions, which never change.
func (h *head) noVersion(namespace string) error {
	if h.read == nil {
		return nil
	}
	if of, is := h.stored().Version(); is {
		return fmt.Errorf("%s in namespace %q is a version; change %s instead", h.object, namespace, of.Name)
	}
	return nil
}

// write gives the object new content, or creates it if it does not exist. It fails if somebody has changed the object since
// it was read. It returns the object as it is afterwards. With try, it is only a server dry run.
func (s *configSession) write(ctx context.Context, h *head, content *configmap.Content, try bool) (*head, error) {
	if h.read == nil {
		meta := h.made
		meta.Name = h.object.Name
		created, err := s.store.create(ctx, h.object.Kind, content, meta, nil, try)
		if err != nil {
			return nil, fmt.Errorf("cannot create %s in namespace %q: %w", h.object, s.namespace, err)
		}
		if !try {
			s.changed(h.object, printers.ConfigCreated, content)
		}
		return &head{object: h.object, read: created}, nil
	}
	body, err := plainJSON(headPatch(h, content))
	if err != nil {
		return nil, err
	}
	changed, err := s.store.patch(ctx, h.object, types.JSONPatchType, body, try)
	if err != nil {
		return nil, fmt.Errorf("cannot change %s in namespace %q: %w", h.object, s.namespace, err)
	}
	if !try {
		s.changed(h.object, printers.ConfigChanged, content)
	}
	return &head{object: h.object, read: changed}, nil
}

// plainJSON encodes a value as JSON and leaves <, > and & as they are. Escaped, they take six bytes each, and a large
// object would exceed the API server's limit for patches.
func plainJSON(value any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return body.Bytes(), err
}

// headPatch returns a patch that replaces only the content. The API server refuses it if the object has changed since it
// was read.
func headPatch(h *head, content *configmap.Content) []undoOperation {
	set := func(path string, value any) undoOperation {
		text, _ := plainJSON(value) // encoding strings and bytes always works
		return undoOperation{Op: "add", Path: path, Value: text}
	}
	operations := []undoOperation{set("/metadata/uid", h.meta.UID), set("/metadata/resourceVersion", h.meta.ResourceVersion)}
	if h.object.Kind == configmap.Secret {
		return append(operations, set("/data", content.SecretData()))
	}
	text, binary := content.Text, content.Binary
	if text == nil {
		text = map[string]string{}
	}
	if binary == nil {
		binary = map[string][]byte{}
	}
	return append(operations, set("/data", text), set("/binaryData", binary))
}

// deleteHead deletes an object that this command created, if nobody has changed it since.
func (s *configSession) deleteHead(ctx context.Context, h *head) error {
	err := s.store.remove(ctx, &configmap.Kept{Object: h.object, Meta: h.meta})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("cannot delete %s in namespace %q again: %w", h.object, s.namespace, err)
	}
	s.changed(h.object, printers.ConfigDeleted, nil)
	return nil
}
