//go:build e2e

package e2e

import (
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// needs skips a test that cannot hold on an older server, since that does not serve a resource. The server is asked: its
// version tells little, with features that can be switched on and off.
func (s *space) needs(groupVersion, resource string) {
	s.Helper()
	if !s.serves(groupVersion, resource) {
		s.Skipf("this server serves no %s of %s", resource, groupVersion)
	}
}

// serves reports whether the server serves a resource.
func (s *space) serves(groupVersion, resource string) bool {
	s.Helper()
	list, err := s.client.Discovery().ServerResourcesForGroupVersion(groupVersion)
	if apierrors.IsNotFound(err) {
		list = &metav1.APIResourceList{}
	} else {
		must(s.TB, err)
	}
	return slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == resource })
}

// keepsEmptyTimes reports whether the server's controllers write a creation time that is none into ControllerRevisions, as they
// did up to 1.33. Clients of later versions write no such field, and compare byte by byte.
func (s *space) keepsEmptyTimes() bool {
	s.Helper()
	return strings.Contains(s.kubectl("get", "controllerrevisions", "-o", "json"), `"creationTimestamp": null`)
}
