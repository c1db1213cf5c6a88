package podtemplate

import corev1 "k8s.io/api/core/v1"

// knownDefault is the value that the API server gives to a field of the objects at a path of a pod template.
type knownDefault struct {
	of, field string
	value     any
}

// noValues is a default that holds nothing: {}, [] or null.
type noValues struct{}

func containerLists() []string {
	return []string{"containers[]", "initContainers[]", "ephemeralContainers[]"}
}

// templateDefaults returns what the API server fills into pod templates (k8s.io/kubernetes/pkg/apis/core/v1/defaults.go and the
// +default markers of k8s.io/api/core/v1). It includes the empty values of fields that encoding cannot leave out.
func templateDefaults() []knownDefault {
	defaults := []knownDefault{
		{"metadata", "creationTimestamp", noValues{}},
		{"", "metadata", noValues{}},
		{"spec", "restartPolicy", string(corev1.RestartPolicyAlways)},
		{"spec", "terminationGracePeriodSeconds", corev1.DefaultTerminationGracePeriodSeconds},
		{"spec", "dnsPolicy", string(corev1.DNSClusterFirst)},
		{"spec", "schedulerName", corev1.DefaultSchedulerName},
		{"spec", "securityContext", noValues{}},
	}
	for _, list := range containerLists() {
		defaults = append(defaults, containerDefaults("spec."+list)...)
	}
	return append(defaults, volumeDefaults("spec.volumes[]")...)
}

func containerDefaults(of string) []knownDefault {
	defaults := []knownDefault{
		{of, "terminationMessagePath", corev1.TerminationMessagePathDefault},
		{of, "terminationMessagePolicy", string(corev1.TerminationMessageReadFile)},
		{of, "resources", noValues{}},
		{of + ".ports[]", "protocol", string(corev1.ProtocolTCP)},
		{of + ".env[].valueFrom.fieldRef", "apiVersion", "v1"},
		{of + ".env[].valueFrom.resourceFieldRef", "divisor", "0"},
		{of + ".env[].valueFrom.fileKeyRef", "optional", false},
	}
	for _, probe := range []string{".livenessProbe", ".readinessProbe", ".startupProbe"} {
		defaults = append(defaults,
			knownDefault{of + probe, "timeoutSeconds", 1},
			knownDefault{of + probe, "periodSeconds", 10},
			knownDefault{of + probe, "successThreshold", 1},
			knownDefault{of + probe, "failureThreshold", 3},
			knownDefault{of + probe + ".grpc", "service", ""},
		)
	}
	for _, handler := range []string{".livenessProbe", ".readinessProbe", ".startupProbe", ".lifecycle.postStart", ".lifecycle.preStop"} {
		defaults = append(defaults,
			knownDefault{of + handler + ".httpGet", "path", "/"},
			knownDefault{of + handler + ".httpGet", "scheme", string(corev1.URISchemeHTTP)},
		)
	}
	return defaults
}

func volumeDefaults(of string) []knownDefault {
	defaults := []knownDefault{
		{of + ".hostPath", "type", ""},
		{of + ".projected.sources[].serviceAccountToken", "expirationSeconds", 3600},
		{of + ".ephemeral.volumeClaimTemplate.metadata", "creationTimestamp", noValues{}},
		{of + ".ephemeral.volumeClaimTemplate", "metadata", noValues{}},
		{of + ".ephemeral.volumeClaimTemplate.spec", "volumeMode", string(corev1.PersistentVolumeFilesystem)},
		{of + ".ephemeral.volumeClaimTemplate.spec", "resources", noValues{}},
		{of + ".iscsi", "iscsiInterface", "default"},
		{of + ".rbd", "pool", "rbd"},
		{of + ".rbd", "user", "admin"},
		{of + ".rbd", "keyring", "/etc/ceph/keyring"},
		{of + ".azureDisk", "cachingMode", string(corev1.AzureDataDiskCachingReadWrite)},
		{of + ".azureDisk", "fsType", "ext4"},
		{of + ".azureDisk", "readOnly", false},
		{of + ".azureDisk", "kind", string(corev1.AzureSharedBlobDisk)},
		{of + ".scaleIO", "storageMode", "ThinProvisioned"},
		{of + ".scaleIO", "fsType", "xfs"},
	}
	for _, files := range []string{".configMap", ".secret", ".downwardAPI", ".projected"} {
		defaults = append(defaults, knownDefault{of + files, "defaultMode", int(corev1.ConfigMapVolumeSourceDefaultMode)})
	}
	for _, items := range []string{".downwardAPI.items[]", ".projected.sources[].downwardAPI.items[]"} {
		defaults = append(defaults,
			knownDefault{of + items + ".fieldRef", "apiVersion", "v1"},
			knownDefault{of + items + ".resourceFieldRef", "divisor", "0"},
		)
	}
	return defaults
}
