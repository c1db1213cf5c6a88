package cli

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// workloadKinds returns the kinds of workloads, with the names that kubectl knows for each. The plural comes first.
func workloadKinds() map[string][]string {
	return map[string][]string{
		"Deployment":  {"deployments", "deployment", "deploy"},
		"StatefulSet": {"statefulsets", "statefulset", "sts"},
		"DaemonSet":   {"daemonsets", "daemonset", "ds"},
	}
}

// workloadKind returns the kind that a TYPE on the command line names. It returns "" if only the API server can say that.
func workloadKind(argument string) string {
	name, group, qualified := strings.Cut(strings.ToLower(argument), ".")
	if qualified && group != "apps" && group != "v1.apps" {
		return ""
	}
	for kind, names := range workloadKinds() {
		for i, known := range names {
			// The short name with a group is not accepted, since the API server does not accept it either.
			if name == known && (!qualified || i < 2) {
				return kind
			}
		}
	}
	return ""
}

// knowing is a client getter that maps the kinds of workloads without discovery. It asks the API server for all others.
type knowing struct {
	genericclioptions.RESTClientGetter
}

// ToRESTMapper returns a mapper that tries the known kinds before those from discovery.
func (k knowing) ToRESTMapper() (meta.RESTMapper, error) {
	discovered, err := k.RESTClientGetter.ToRESTMapper()
	if err != nil {
		return nil, err
	}
	known := meta.NewDefaultRESTMapper([]schema.GroupVersion{appsv1.SchemeGroupVersion})
	for kind, names := range workloadKinds() {
		gvk, plural := appsv1.SchemeGroupVersion.WithKind(kind), appsv1.SchemeGroupVersion.WithResource(names[0])
		// The mapper returns the name of a kind that was added last as its singular.
		for i := len(names) - 1; i > 0; i-- {
			known.AddSpecific(gvk, plural, appsv1.SchemeGroupVersion.WithResource(names[i]), meta.RESTScopeNamespace)
		}
	}
	return meta.FirstHitRESTMapper{MultiRESTMapper: meta.MultiRESTMapper{known, discovered}}, nil
}
