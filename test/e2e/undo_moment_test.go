//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// patchNow changes an object in this very moment.
func (s *space) patchNow(kind, body string) {
	s.Helper()
	must(s.TB, s.workloads().Patch(types.StrategicMergePatchType).Namespace(s.name).Resource(strings.ToLower(kind)+"s").Name("web").
		VersionedParams(&metav1.PatchOptions{}, metav1.ParameterCodec).Body([]byte(body)).Do(s.Context()).Error())
}

func (s *space) workloads() rest.Interface { return s.client.AppsV1().RESTClient() }

// lying is a plugin that waits for a manifest on its standard input, so that it sets to work in the moment it gets it.
func (s *space) lying(args ...string) (*process, *os.File) {
	s.Helper()
	out, in, err := os.Pipe()
	must(s.TB, err)
	p := s.beginWith(nil, out, args...)
	must(s.TB, out.Close())
	s.Cleanup(func() { _ = in.Close() }) // it is closed, unless the test failed
	return p, in
}

// An undo in the moment of a change goes back to what was right before, though the controller has not seen the change yet.
func TestUndoInTheMomentOfAChange(t *testing.T) {
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			object := strings.ToLower(kind) + "/web"
			manifest := workloadManifest(kind, "web:v0")
			s.kubectl("create", "-f", s.write(s.dir(), "manifest.yaml", manifest))
			s.kubectl("set", "image", object, "app=web:v1")
			for round := range 8 {
				// What the controller has never seen is no revision.
				generation := s.kubectl("get", object, "-o", "jsonpath={.metadata.generation}")
				s.kubectl("wait", object, "--for=jsonpath={.status.observedGeneration}="+generation, "--timeout", patience.String())
				p, in := s.lying("rollout-plus", "undo", "-f", "-")
				// The controller takes a change of the size first, and the template a moment later.
				size := ""
				if kind == "Deployment" {
					size = fmt.Sprintf(`"replicas":%d,`, 1+round%3)
				}
				s.patchNow(kind, fmt.Sprintf(`{"spec":{%s"template":{"spec":{"containers":[{"name":"app","image":"web:r%d"}]}}}}`, size, round))
				_, err := in.WriteString(manifest)
				must(t, err)
				must(t, in.Close())
				p.ends(0, "rolled back")
				if image := s.kubectl("get", object, "-o", "jsonpath={.spec.template.spec.containers[0].image}"); image != "web:v1" {
					t.Fatalf("round %d went back to %s, not to web:v1", round, image)
				}
			}
		})
	}
}
