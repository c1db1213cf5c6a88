package store

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// State is a ConfigMap or Secret as it was read.
type State struct {
	kind      configmap.Kind
	Content   *configmap.Content
	Meta      metav1.ObjectMeta
	Immutable bool
}

// Stored returns the object in the form that package configmap uses to check whether it is a version.
func (r *State) Stored() *configmap.Stored {
	return &configmap.Stored{Kind: r.kind, Meta: &r.Meta, Immutable: r.Immutable, Content: r.Content}
}

// StateOf converts a ConfigMap or Secret of a client. It returns nil for anything else.
func StateOf(object any) *State {
	switch o := object.(type) {
	case *corev1.ConfigMap:
		return &State{configmap.ConfigMap, configmap.ContentOfConfigMap(o), o.ObjectMeta, ptr.Deref(o.Immutable, false)}
	case *corev1.Secret:
		return &State{configmap.Secret, configmap.ContentOfSecret(o), o.ObjectMeta, ptr.Deref(o.Immutable, false)}
	}
	return nil
}

// IsStill reports whether an object has not changed since it was read.
func (r *State) IsStill(now metav1.Object) bool {
	return r != nil && r.Meta.UID == now.GetUID() && r.Meta.ResourceVersion == now.GetResourceVersion()
}
