package configmap

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// Projection is one source of a volume's files.
type Projection struct {
	Source   Source
	Object   Object // of no kind if the files come from elsewhere
	Items    []corev1.KeyToPath
	Optional bool
	Paths    []string // paths from elsewhere, which may cover files of earlier sources
}

// ProjectionsOf returns the sources of a volume's files. Later ones win. It returns nil for a volume that takes nothing from
// ConfigMaps or Secrets.
func ProjectionsOf(volume *corev1.Volume) []Projection {
	switch {
	case volume.ConfigMap != nil:
		v := volume.ConfigMap
		return []Projection{{Source: FromVolume, Object: Object{ConfigMap, v.Name}, Items: v.Items, Optional: ptr.Deref(v.Optional, false)}}
	case volume.Secret != nil:
		v := volume.Secret
		return []Projection{{Source: FromVolume, Object: Object{Secret, v.SecretName}, Items: v.Items, Optional: ptr.Deref(v.Optional, false)}}
	case volume.Projected != nil:
		all := make([]Projection, len(volume.Projected.Sources))
		for i := range all {
			all[i] = projected(&volume.Projected.Sources[i])
		}
		return all
	}
	return nil
}

func projected(from *corev1.VolumeProjection) Projection {
	p := Projection{Source: FromProjected}
	switch {
	case from.ConfigMap != nil:
		p.Object, p.Items, p.Optional = Object{ConfigMap, from.ConfigMap.Name}, from.ConfigMap.Items, ptr.Deref(from.ConfigMap.Optional, false)
	case from.Secret != nil:
		p.Object, p.Items, p.Optional = Object{Secret, from.Secret.Name}, from.Secret.Items, ptr.Deref(from.Secret.Optional, false)
	case from.DownwardAPI != nil:
		for _, item := range from.DownwardAPI.Items {
			p.Paths = append(p.Paths, item.Path)
		}
	case from.ServiceAccountToken != nil:
		p.Paths = []string{from.ServiceAccountToken.Path}
	case from.ClusterTrustBundle != nil:
		p.Paths = []string{from.ClusterTrustBundle.Path}
	case from.PodCertificate != nil:
		for _, path := range []string{from.PodCertificate.CredentialBundlePath, from.PodCertificate.KeyPath, from.PodCertificate.CertificateChainPath} {
			if path != "" {
				p.Paths = append(p.Paths, path)
			}
		}
	}
	return p
}

// driverSecret returns the name of the Secret that a volume's driver reads at the mount, or "" if there is none.
func driverSecret(volume *corev1.Volume) string {
	var ref *corev1.LocalObjectReference
	switch {
	case volume.CSI != nil:
		ref = volume.CSI.NodePublishSecretRef
	case volume.FlexVolume != nil:
		ref = volume.FlexVolume.SecretRef
	case volume.RBD != nil:
		ref = volume.RBD.SecretRef
	case volume.CephFS != nil:
		ref = volume.CephFS.SecretRef
	case volume.Cinder != nil:
		ref = volume.Cinder.SecretRef
	case volume.ISCSI != nil:
		ref = volume.ISCSI.SecretRef
	case volume.ScaleIO != nil:
		ref = volume.ScaleIO.SecretRef
	case volume.StorageOS != nil:
		ref = volume.StorageOS.SecretRef
	case volume.AzureFile != nil:
		return volume.AzureFile.SecretName
	}
	if ref == nil {
		return ""
	}
	return ref.Name
}
