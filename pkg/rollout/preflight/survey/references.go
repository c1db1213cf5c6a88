package survey

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

const (
	// mostReferences bounds how many of the objects that pods need are read.
	mostReferences = 30
	// metadataOnly requests only the metadata of an object: values of Secrets are never read.
	metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
	// defaultAccount is the ServiceAccount of pods that name none.
	defaultAccount = "default"
)

// references reads the objects that pods need, and the Secrets for pulling their images. With lean, it takes the
// default ServiceAccount to exist.
func (s *survey) references(ctx context.Context, lean bool) {
	spec, in := &s.in.Workload.Template.Spec, s.in
	in.References.Items = needsOf(spec)
	in.PullSecrets.Items = pullSecretsOf(spec.ImagePullSecrets)
	if len(in.References.Items) > mostReferences {
		in.References.Items, in.References.More = in.References.Items[:mostReferences], true
	}
	account := spec.ServiceAccountName
	if account == "" && !lean {
		account = defaultAccount
	}
	in.PullSecrets.More = account == "" // the pull secrets of the default ServiceAccount are not read
	if account != "" {
		in.References.Items = append(in.References.Items, preflight.Reference{Kind: "ServiceAccount", Name: account})
	}
	// This starts before the account is read, which may replace the list.
	for i := range in.PullSecrets.Items {
		s.Go(func() { s.look(ctx, &in.PullSecrets.Items[i]) })
	}
	for i := range in.References.Items {
		r := &in.References.Items[i]
		s.Go(func() {
			if r.Kind == "ServiceAccount" {
				s.lookAtAccount(ctx, r)
			} else {
				s.look(ctx, r)
			}
		})
	}
}

// lookAtAccount reads a ServiceAccount. A pod without pull secrets of its own gets those of its ServiceAccount.
func (s *survey) lookAtAccount(ctx context.Context, r *preflight.Reference) {
	account, err := s.client.CoreV1().ServiceAccounts(s.namespace).Get(ctx, r.Name, metav1.GetOptions{})
	seen(r, err)
	if len(s.in.Workload.Template.Spec.ImagePullSecrets) > 0 {
		return
	}
	s.in.PullSecrets.Err = r.Err
	if err != nil {
		return
	}
	s.in.PullSecrets.Items = pullSecretsOf(account.ImagePullSecrets)
	for i := range s.in.PullSecrets.Items {
		s.look(ctx, &s.in.PullSecrets.Items[i])
	}
}

// classes reads the StorageClasses that claim templates name.
func (s *survey) classes(ctx context.Context, set *appsv1.StatefulSet) {
	known := map[string]bool{"": true}
	for i := range set.Spec.VolumeClaimTemplates {
		if name := set.Spec.VolumeClaimTemplates[i].Spec.StorageClassName; name != nil && !known[*name] && len(known) <= mostReferences {
			known[*name] = true
			s.in.Classes.Items = append(s.in.Classes.Items, preflight.Reference{Kind: "StorageClass", Name: *name})
		}
	}
	for i := range s.in.Classes.Items {
		s.Go(func() { s.look(ctx, &s.in.Classes.Items[i]) })
	}
}

// look finds out whether an object exists. It reads the content only of a ConfigMap that must have certain keys, and of
// a claim.
func (s *survey) look(ctx context.Context, r *preflight.Reference) {
	if s.foresees(r) {
		return
	}
	core := s.client.CoreV1().RESTClient()
	switch r.Kind {
	case "ConfigMap":
		if len(r.Keys) > 0 {
			s.lookForKeys(ctx, r)
			return
		}
		seen(r, exists(ctx, core, s.namespace, "configmaps", r.Name))
	case "Secret":
		seen(r, exists(ctx, core, s.namespace, "secrets", r.Name))
	case "PersistentVolumeClaim":
		claim, err := s.client.CoreV1().PersistentVolumeClaims(s.namespace).Get(ctx, r.Name, metav1.GetOptions{})
		seen(r, err)
		r.OnePod = err == nil && slices.Contains(claim.Spec.AccessModes, corev1.ReadWriteOncePod)
	case "StorageClass":
		seen(r, exists(ctx, s.client.StorageV1().RESTClient(), metav1.NamespaceNone, "storageclasses", r.Name))
	}
}

// foresees reports whether an object will be written before the rollout. It then records the needed keys that the
// object will lack.
func (s *survey) foresees(r *preflight.Reference) bool {
	at := slices.IndexFunc(s.foreseen, func(f preflight.Foreseen) bool { return f.Kind == r.Kind && f.Name == r.Name })
	if at < 0 {
		return false
	}
	for _, key := range r.Keys {
		if !slices.Contains(s.foreseen[at].Keys, key) {
			r.MissingKeys = append(r.MissingKeys, key)
		}
	}
	return true
}

func (s *survey) lookForKeys(ctx context.Context, r *preflight.Reference) {
	found, err := s.client.CoreV1().ConfigMaps(s.namespace).Get(ctx, r.Name, metav1.GetOptions{})
	if seen(r, err); err != nil {
		return
	}
	for _, key := range r.Keys {
		_, text := found.Data[key]
		if _, binary := found.BinaryData[key]; !text && !binary {
			r.MissingKeys = append(r.MissingKeys, key)
		}
	}
}

// exists requests the metadata of an object, and nothing else. It returns an error if the object does not exist.
func exists(ctx context.Context, client rest.Interface, namespace, resource, name string) error {
	return client.Get().NamespaceIfScoped(namespace, namespace != metav1.NamespaceNone).Resource(resource).Name(name).
		SetHeader("Accept", metadataOnly).Do(ctx).Error()
}

func seen(r *preflight.Reference, err error) {
	if r.Missing = apierrors.IsNotFound(err); !r.Missing && err != nil {
		r.Err = fmt.Errorf("%s %q cannot be read: %w", r.Kind, r.Name, err)
	}
}

func pullSecretsOf(named []corev1.LocalObjectReference) []preflight.Reference {
	var all []preflight.Reference
	for _, secret := range named[:min(len(named), mostReferences)] {
		if secret.Name != "" {
			all = append(all, preflight.Reference{Kind: "Secret", Name: secret.Name})
		}
	}
	return all
}
