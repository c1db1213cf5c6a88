package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/event"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/jsonpatch"
)

// Live is the object that people edit.
type Live struct {
	Object configmap.Object
	// read is nil if the object does not exist. It is then created with the labels and annotations of made.
	*State
	Made metav1.ObjectMeta
}

// Holds returns the object's content, or nil if it does not exist.
func (h *Live) Holds() *configmap.Content {
	if h.State == nil {
		return nil
	}
	return h.Content
}

// Changeable returns an error for an object that cannot be edited.
func (h *Live) Changeable(namespace string) error {
	if err := h.NoVersion(namespace); err != nil || h.State == nil || !h.Immutable {
		return err
	}
	return fmt.Errorf("%s in namespace %q is immutable, so it cannot be changed; delete and create it, or change another", h.Object, namespace)
}

// NoVersion returns an error if the object is a version. Pods run with versions, which never change.
func (h *Live) NoVersion(namespace string) error {
	if h.State == nil {
		return nil
	}
	if of, is := h.Stored().Version(); is {
		return fmt.Errorf("%s in namespace %q is a version; change %s instead", h.Object, namespace, of.Name)
	}
	return nil
}

// Write gives the object new content, or creates it if it does not exist. It fails if somebody has changed the object since
// it was read. It returns the object as it is afterwards. With try, it is only a server dry run.
func (s *Session) Write(ctx context.Context, h *Live, content *configmap.Content, try bool) (*Live, error) {
	if h.State == nil {
		meta := h.Made
		meta.Name = h.Object.Name
		created, err := s.Versions.create(ctx, h.Object.Kind, content, meta, nil, try)
		if err != nil {
			return nil, fmt.Errorf("cannot create %s in namespace %q: %w", h.Object, s.Namespace, err)
		}
		if !try {
			s.Report(h.Object, event.Created, content)
		}
		return &Live{Object: h.Object, State: created}, nil
	}
	body, err := plainJSON(livePatch(h, content))
	if err != nil {
		return nil, err
	}
	changed, err := s.Versions.patch(ctx, h.Object, types.JSONPatchType, body, try)
	if err != nil {
		return nil, fmt.Errorf("cannot change %s in namespace %q: %w", h.Object, s.Namespace, err)
	}
	if !try {
		s.Report(h.Object, event.Changed, content)
	}
	return &Live{Object: h.Object, State: changed}, nil
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

// livePatch returns a patch that replaces only the content. The API server refuses it if the object has changed since it
// was read.
func livePatch(h *Live, content *configmap.Content) []jsonpatch.Operation {
	set := func(path string, value any) jsonpatch.Operation {
		text, _ := plainJSON(value) // encoding strings and bytes always works
		return jsonpatch.Add(path, json.RawMessage(text))
	}
	operations := []jsonpatch.Operation{set("/metadata/uid", h.Meta.UID), set("/metadata/resourceVersion", h.Meta.ResourceVersion)}
	if h.Object.Kind == configmap.Secret {
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

// Delete deletes an object that this command created, if nobody has changed it since.
func (s *Session) Delete(ctx context.Context, h *Live) error {
	err := s.Versions.remove(ctx, &configmap.Kept{Object: h.Object, Meta: h.Meta})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("cannot delete %s in namespace %q again: %w", h.Object, s.Namespace, err)
	}
	s.Report(h.Object, event.Deleted, nil)
	return nil
}

// Report emits an event for an object that was written, or would be. Nil content means it was deleted.
func (s *Session) Report(object configmap.Object, change event.Change, content *configmap.Content) {
	s.Emit.Emit(event.Written{Object: object, Namespace: s.Namespace, Change: change, Hash: s.hashOf(object, content)})
}

// hashOf returns the hash in the name of a version with this content, or "" if content is nil. A Secret's hash is random,
// so it reveals nothing about the content. It is "" until that version exists.
func (s *Session) hashOf(object configmap.Object, content *configmap.Content) string {
	switch {
	case content == nil:
		return ""
	case object.Kind != configmap.Secret:
		hash, _ := configmap.ShortHash(object, content) // of content that the API server has accepted
		return hash
	}
	version := s.Versions.drawn[drawnFor{object, content.Sum()}]
	if version == nil {
		return ""
	}
	_, hash, _ := configmap.SplitName(version.Object.Name)
	return hash
}

// GiveType sets the type that a Secret's manifest leaves open: the type of the existing Secret, or the API server's default
// for a new one. The same goes for a manifest with the name of a version. It refuses another type, since the API server
// never changes the type of a Secret.
func (h *Live) GiveType(content *configmap.Content, namespace string) error {
	switch {
	case h.Object.Kind != configmap.Secret:
	case h.State == nil && content.Type == "":
		content.Type = corev1.SecretTypeOpaque
	case h.State == nil:
	case content.Type == "":
		content.Type = h.Content.Type
	case content.Type != h.Content.Type:
		return fmt.Errorf("%s in namespace %q has the type %s, which cannot become %s; leave the type out, or delete and create it",
			h.Object, namespace, h.Content.Type, content.Type)
	}
	return nil
}
