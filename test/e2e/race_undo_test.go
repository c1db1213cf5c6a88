//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Of two undos at the same time one goes back. The other finds that done or refuses, or comes after it and leaves what the
// first has gone back to; neither goes back by two revisions.
func TestTwoUndosAtTheSameTime(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			object := strings.ToLower(kind) + "/web"
			manifest := workloadManifest(kind, "web:r0")
			s.kubectl("create", "-f", s.write(s.dir(), "manifest.yaml", manifest))
			for round := range 4 {
				s.awaitObserved(object)
				for step := range 2 {
					s.kubectl("set", "image", object, fmt.Sprintf("app=web:r%d-%d", round, step))
					s.awaitObserved(object)
				}
				first, goOn := s.poised(manifest, "undo")
				second, goOnToo := s.poised(manifest, "undo")
				goOn()
				goOnToo()
				undone := 0
				for _, p := range []*process{first, second} {
					switch {
					case p.code() == 1:
						p.ends(1, "was not rolled back: somebody else has changed its pod template meanwhile")
					case strings.Contains(p.out.String(), " rolled back\n"):
						undone++
					default: // the revisions were listed after the other's write, the object was read before
						p.ends(0, " skipped rollback (current template already matches revision ")
					}
				}
				want := fmt.Sprintf("web:r%d-%d", round, (undone+1)%2)
				if image := s.kubectl("get", object, "-o", "jsonpath={.spec.template.spec.containers[0].image}"); undone == 0 || image != want {
					t.Fatalf("round %d: %d have gone back, to %s, not to %s\n%s\n%s", round, undone, image, want, first.output(), second.output())
				}
			}
		})
	}
}

// Somebody else goes back a moment after the command has read what it is to leave.
func TestUndoOfWhatSomebodyElseHasLeft(t *testing.T) {
	for _, flags := range [][]string{nil, {"--steps", "1"}, {"--steps", "1", "--keep-config"}} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			w := threeRevisions(t)
			var once sync.Once
			w.behind(func(*http.Request) {}, func(response *http.Response) error {
				if request := response.Request; request.Method == http.MethodGet && strings.HasSuffix(request.URL.Path, "/deployments/web") {
					once.Do(func() {
						_, err := w.client.AppsV1().Deployments(w.name).Patch(request.Context(), "web", types.StrategicMergePatchType,
							[]byte(`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"web:v2"}]}}}}`), metav1.PatchOptions{})
						if err != nil {
							t.Error(err)
						}
					})
				}
				return nil
			})
			w.plugin(append([]string{"undo", "deployment/web"}, flags...)...).ends(1,
				`deployment "web" in namespace "`+w.name+`" was not rolled back: somebody else has changed its pod template meanwhile`)
			w.await("the other's version is complete", func(m *snapshot) bool { return m.image() == "web:v2" && m.complete() })
			w.runs("web:v2")
		})
	}
}

// awaitObserved waits until the controller has seen what was written.
func (s *space) awaitObserved(object string) {
	s.Helper()
	generation := s.kubectl("get", object, "-o", "jsonpath={.metadata.generation}")
	s.kubectl("wait", object, "--for=jsonpath={.status.observedGeneration}="+generation, "--timeout", patience.String())
}
