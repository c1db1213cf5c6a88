package app

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// workloadKinds are the kinds that a rollout can be of, with the names that kubectl knows them by, the plural first.
func workloadKinds() map[string][]string {
	return map[string][]string{
		"Deployment":  {"deployments", "deployment", "deploy"},
		"StatefulSet": {"statefulsets", "statefulset", "sts"},
		"DaemonSet":   {"daemonsets", "daemonset", "ds"},
	}
}

// workloadKind is the kind that a TYPE on the command line names, empty where it is not known without asking the API server.
func workloadKind(argument string) string {
	name, group, qualified := strings.Cut(strings.ToLower(argument), ".")
	if qualified && group != "apps" && group != "v1.apps" {
		return ""
	}
	for kind, names := range workloadKinds() {
		for i, known := range names {
			// A short name takes no group: the API server does not know it.
			if name == known && (!qualified || i < 2) {
				return kind
			}
		}
	}
	return ""
}

// knowing is a client getter that maps the kinds of workloads without discovery, and asks the API server for all others.
type knowing struct {
	genericclioptions.RESTClientGetter
}

// ToRESTMapper puts the kinds that are known before those that have to be discovered.
func (k knowing) ToRESTMapper() (meta.RESTMapper, error) {
	discovered, err := k.RESTClientGetter.ToRESTMapper()
	if err != nil {
		return nil, err
	}
	known := meta.NewDefaultRESTMapper([]schema.GroupVersion{appsv1.SchemeGroupVersion})
	for kind, names := range workloadKinds() {
		gvk, plural := appsv1.SchemeGroupVersion.WithKind(kind), appsv1.SchemeGroupVersion.WithResource(names[0])
		// The last of a kind is what the mapper gives back as its singular.
		for i := len(names) - 1; i > 0; i-- {
			known.AddSpecific(gvk, plural, appsv1.SchemeGroupVersion.WithResource(names[i]), meta.RESTScopeNamespace)
		}
	}
	return meta.FirstHitRESTMapper{MultiRESTMapper: meta.MultiRESTMapper{known, discovered}}, nil
}
