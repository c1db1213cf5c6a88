//go:build e2e

package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// A StatefulSet waits for every pod to be ready before it replaces any, those of an earlier revision too.
func TestAStatefulSetThatWaitsForABrokenPod(t *testing.T) {
	t.Parallel()
	for image, what := range map[string]struct {
		waits string
		told  []string
	}{
		"broken":      {waits: "ImagePullBackOff", told: []string{`statefulset "db": the rollout failed: pod db-1, container app: ImageNotFound (ImagePullBackOff)`, "the pod is of an earlier revision"}},
		"crash":       {waits: "CrashLoopBackOff", told: []string{"CrashLoopBackOff", "it is of an earlier revision, and the StatefulSet waits for it"}},
		"never-ready": {told: []string{"pod db-1 is not ready; it is of an earlier revision, and the StatefulSet waits for it"}},
	} {
		t.Run(image, func(t *testing.T) {
			s := newSpace(t)
			s.rolledOut(manifestOf("StatefulSet", "db", "db:v1", ""))
			s.stuck(image, what.waits)
			// kubectl's own rollback leaves it where it is.
			s.kubectl("rollout", "undo", "statefulset/db")
			s.kubectl("wait", "statefulset/db", "--for=jsonpath={.status.observedGeneration}=3", "--timeout=2m")
			way := "'kubectl delete pod db-1 -n " + s.name + "' lets it go on"
			p := s.plugin("status", "statefulset/db")
			if image == "broken" {
				p.ends(4, append(what.told, way)...)
			} else {
				for _, text := range append(what.told, way) {
					p.tells(text)
				}
				s.kubectl("delete", "pod", "db-1", "--wait=false")
				p.ends(0, "partitioned roll out complete")
			}
			s.stuck(image, what.waits)
			// The plugin's takes it out of the way, and nothing else.
			before := s.kubectl("get", "pod", "db-0", "-o", "jsonpath={.metadata.uid}")
			s.plugin("undo", "statefulset/db", "--wait", "--timeout", "90s").ends(0, "statefulset.apps/db ", "pod db-1 deleted: it is of another revision and not ready")
			if after := s.kubectl("get", "pod", "db-0", "-o", "jsonpath={.metadata.uid}"); after != before {
				t.Error("a pod that was ready is not the same any more")
			}
			if images := s.kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[0].image}"); images != "db:v1 db:v1" {
				t.Errorf("the pods run %s", images)
			}
		})
	}
}

// A pod that is only starting is left alone where it is of the revision to go back to. Where it is of the one that is left, it
// would be replaced as soon as it is ready, and nothing else before that: it goes at once.
func TestUndoAndAPodThatIsStarting(t *testing.T) {
	s := newSpace(t)
	starting := strings.Replace(manifestOf("StatefulSet", "db", "db:v1", ""), "labels: {app: db}}, spec",
		"labels: {app: db}, annotations: {test.rollout-plus/stage: none}}, spec", 1)
	s.kubectl("create", "-f", s.file(starting))
	pod := func(image string) (uid types.UID) {
		t.Helper()
		s.until(func() bool {
			pod, err := s.client.CoreV1().Pods(s.name).Get(s.Context(), "db-0", metav1.GetOptions{})
			must(t, gone(err))
			uid = pod.UID
			return err == nil && pod.DeletionTimestamp == nil && pod.Spec.Containers[0].Image == image
		}, func() string { return "no pod db-0 of " + image })
		return uid
	}
	before := pod("db:v1")
	s.kubectl("set", "image", "statefulset/db", "app=db:v2")
	s.awaitObserved("statefulset/db")
	if p := s.plugin("undo", "statefulset/db").ends(0, "stdout: statefulset.apps/db rolled back\n"); strings.Contains(p.errOut.String(), "deleted") || pod("db:v1") != before {
		t.Errorf("a pod of the revision that was gone back to is not the same any more\n%s", p.output())
	}
	s.awaitObserved("statefulset/db")
	s.plugin("undo", "statefulset/db").ends(0, "stdout: statefulset.apps/db rolled back\n", "pod db-0 deleted: it is of another revision and not ready")
	if pod("db:v2") == before {
		t.Error("it is the same pod")
	}
}

// stuck rolls db out to an image that does not come good, until its pod says so.
func (s *space) stuck(image, waits string) {
	s.Helper()
	s.kubectl("set", "image", "statefulset/db", "app=db:"+image)
	const states = `jsonpath={range .items[*]}{.metadata.name} {.spec.containers[0].image} {.status.containerStatuses[0].state.waiting.reason}{"\n"}{end}`
	wanted := "db-1 db:" + image + " " + waits
	s.until(func() bool { return strings.Contains(s.kubectl("get", "pods", "-o", states), wanted) }, func() string { return "not so: " + wanted })
}

// Without the right to delete pods the rollback is made all the same, and says what is missing.
func TestUndoOfAStatefulSetWithoutTheRightToDelete(t *testing.T) {
	s := newSpace(t)
	s.rolledOut(manifestOf("StatefulSet", "db", "db:v1", ""))
	s.stuck("broken", "ImagePullBackOff")
	s.allow(map[string][]string{
		"statefulsets": {"get", "list", "watch", "patch"}, "controllerrevisions": {"list"}, "pods": {"list", "watch"},
	})
	s.plugin("undo", "statefulset/db", "--as", "dev").ends(0, "statefulset.apps/db rolled back", "the right to delete pods in namespace")
}
