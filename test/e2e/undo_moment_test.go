//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
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

// poised starts the plugin with a manifest to read, and returns once it waits for that. With what it gives it goes on, with
// nothing but requests left to do.
func (s *space) poised(manifest string, args ...string) (p *process, goOn func()) {
	s.Helper()
	pipe := filepath.Join(s.TempDir(), "pipe.yaml")
	must(s.TB, syscall.Mkfifo(pipe, 0o600))
	p = s.plugin(append(args, "-f", pipe)...)
	opened := make(chan *os.File, 1)
	go func() {
		// It takes a reader to open a pipe.
		file, err := os.OpenFile(pipe, os.O_WRONLY, 0)
		if err != nil {
			s.Error(err)
		}
		opened <- file
	}()
	select {
	case file := <-opened:
		return p, func() {
			s.Helper()
			_, err := file.WriteString(manifest)
			must(s.TB, err)
			must(s.TB, file.Close())
		}
	case <-p.done:
		s.Fatalf("it ended without reading\n%s", p.output())
	}
	return nil, nil
}

// An undo in the moment of a change goes back to what was right before, though the controller has not seen the change yet.
func TestUndoInTheMomentOfAChange(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			object := strings.ToLower(kind) + "/web"
			manifest := workloadManifest(kind, "web:v0")
			s.kubectl("create", "-f", s.write(s.dir(), "manifest.yaml", manifest))
			s.kubectl("set", "image", object, "app=web:v1")
			for round := range 8 {
				// What the controller has never seen is no revision.
				s.awaitObserved(object)
				p, goOn := s.poised(manifest, "undo")
				// The controller takes a change of the size first, and the template a moment later.
				size := ""
				if kind == "Deployment" {
					size = fmt.Sprintf(`"replicas":%d,`, 1+round%3)
				}
				s.patchNow(kind, fmt.Sprintf(`{"spec":{%s"template":{"spec":{"containers":[{"name":"app","image":"web:r%d"}]}}}}`, size, round))
				goOn()
				p.ends(0, "rolled back")
				if image := s.kubectl("get", object, "-o", "jsonpath={.spec.template.spec.containers[0].image}"); image != "web:v1" {
					t.Fatalf("round %d went back to %s, not to web:v1", round, image)
				}
			}
		})
	}
}

// With strategy Recreate there is no revision of the new version for as long as an old pod takes to end.
func TestUndoWhileTheOldPodsEnd(t *testing.T) {
	w := newWeb(t, func(d *appsv1.Deployment) {
		d.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
	})
	w.kubectl("set", "image", "deployment/web", "app=web:v2")
	w.await("complete with web:v2", func(m *snapshot) bool { return m.image() == "web:v2" && m.complete() })
	w.finalizePods(`["example.com/ends-later"]`)
	w.kubectl("set", "image", "deployment/web", "app=web:v3")
	w.await("it waits for the old pods", func(m *snapshot) bool {
		return m.image() == "web:v3" && m.deployment.Status.ObservedGeneration >= m.deployment.Generation && m.size("") == 0
	})
	w.plugin("undo", "deployment/web", "--dry-run=server").ends(0, "rolled back (server dry run)", "-  - image: web:v3", "+  - image: web:v2")
	w.plugin("undo", "deployment/web").ends(0, "stdout: deployment.apps/web rolled back\n")
	w.finalizePods("null")
	w.await("complete with web:v2 again", func(m *snapshot) bool { return m.image() == "web:v2" && m.complete() })
	w.restored()
}

// finalizePods gives pods these finalizers, with which they do not end, or takes them away.
func (s *space) finalizePods(finalizers string) {
	s.Helper()
	for _, pod := range strings.Fields(s.kubectl("get", "pods", "-o", "name")) {
		s.kubectl("patch", pod, "--type=merge", "-p", `{"metadata":{"finalizers":`+finalizers+`}}`)
	}
}
