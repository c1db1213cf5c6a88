//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// images are those of the pods of an object's label, sorted by the pods' names.
func (s *space) images(app string) string {
	s.Helper()
	return s.kubectl("get", "pods", "-l", "app="+app, "--sort-by=.metadata.name", "-o", "jsonpath={.items[*].spec.containers[0].image}")
}

// The pods above a partition are new in steps of their own: the status of a StatefulSet that goes back to the revision below it
// counts as many as its partition asks for from the first moment.
func TestUndoAboveAPartitionWaitsForThePodsThatAreLeft(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"OrderedReady", "Parallel"} {
		t.Run(policy, func(t *testing.T) {
			s := newSpace(t)
			s.rolledOut(strings.Replace(manifestOf("StatefulSet", "db", "db:v1", "podManagementPolicy: "+policy+
				", updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 2}}"), "replicas: 2", "replicas: 4", 1))
			s.kubectl("set", "image", "statefulset/db", "app=db:v2")
			s.plugin("status", "statefulset/db").ends(0, `stderr: statefulset "db" keeps 2 of 4 pods at the earlier revision (partition 2)`)
			if got := s.images("db"); got != "db:v1 db:v1 db:v2 db:v2" {
				t.Fatal(got)
			}
			s.plugin("undo", "statefulset/db", "--wait").ends(0, "rolled back")
			if got := s.images("db"); got != "db:v1 db:v1 db:v1 db:v1" {
				t.Errorf("undo --wait has ended, and the pods run %s", got)
			}
			s.kubectl("rollout", "undo", "statefulset/db")
			if d := s.plugin("status", "statefulset/db", "-o", "json").ends(0).documents()["db"]; d.Phase != "partitioned" || d.Counts.Updated != 2 {
				t.Errorf("got %+v", d)
			}
			if got := s.images("db"); got != "db:v1 db:v1 db:v2 db:v2" {
				t.Errorf("status has ended, and the pods run %s", got)
			}
		})
	}
}

// A StatefulSet or DaemonSet is complete once its pods have been ready for minReadySeconds, for whoever waits.
func TestMinReadySecondsAreWaitedFor(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			object := strings.ToLower(kind) + "/db"
			s.rolledOut(manifestOf(kind, "db", "db:v1", "minReadySeconds: 2"+map[string]string{
				"DaemonSet": ", updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 100%}}",
			}[kind]))
			available := func(after string) {
				t.Helper()
				path := map[string]string{
					"StatefulSet": "{.status.availableReplicas} {.status.updatedReplicas} {.spec.replicas}",
					"DaemonSet":   "{.status.numberAvailable} {.status.updatedNumberScheduled} {.status.desiredNumberScheduled}",
				}[kind]
				counts := strings.Fields(s.kubectl("get", object, "-o", "jsonpath="+path))
				if len(counts) != 3 || counts[0] != counts[2] || counts[1] != counts[2] {
					t.Errorf("%s has ended: available, updated and wanted are %v", after, counts)
				}
			}
			s.plugin("restart", object, "--wait").ends(0)
			available("restart --wait")
			s.plugin("undo", object, "--wait").ends(0)
			available("undo --wait")
			s.kubectl("rollout", "restart", object)
			if d := s.plugin("status", object, "-o", "json").ends(0).documents()["db"]; d.Phase != "complete" || d.Counts.Available != d.Counts.Desired {
				t.Errorf("got %+v", d)
			}
			s.kubectl("rollout", "restart", object)
			s.plugin("status", object).ends(0)
			available("status")
		})
	}
}

// Somebody who sets another template is not waited for as if it were the one that was to come.
func TestAWaitForASetIsForItsOwnTemplate(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			object := strings.ToLower(kind) + "/db"
			s.rolledOut(manifestOf(kind, "db", "db:v1", ""))
			s.kubectl("patch", object, "-p", `{"spec":{"minReadySeconds":600}}`)
			p := s.plugin("restart", object, "--wait")
			p.tells("restarted")
			s.kubectl("set", "image", object, "app=db:v2")
			p.ends(4, "the rollout was overtaken: the pod template was changed", "before the awaited one was complete")
		})
	}
}

// A StatefulSet that is scaled to 0 and back in mid-step makes even the pods below its own partition of the new version. The way
// back reaches them, whoever takes it, and the partition is what it was.
func TestTheWayBackReachesPodsBelowThePartition(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"abort", "undo", "kubectl undo"} {
		t.Run(verb, func(t *testing.T) {
			w := newStepped(t, "StatefulSet")
			w.kubectl("patch", w.object, "-p", `{"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}}}}`)
			before := w.strategy()
			p := w.holding("red", 1)
			p.signal(syscall.SIGKILL)
			p.code()
			w.kubectl("scale", w.object, "--replicas=0")
			w.kubectl("wait", w.object, "--for=jsonpath={.status.replicas}=0", "--timeout=2m")
			w.kubectl("scale", w.object, "--replicas=4")
			w.pods = 4
			w.stands("red", 4)
			switch verb {
			case "abort":
				w.plugin("abort", w.object).ends(0, "rolled back")
			case "undo":
				w.plugin("undo", w.object, "--wait").ends(0, "rolled back")
			default:
				w.kubectl("rollout", "undo", w.object)
				w.plugin("resume", w.object).ends(5, "rolled back")
			}
			version := w.versionOfConfig("color=red")
			pods := w.kubectl("get", "pods", "-l", "app=web", "-o", `jsonpath={range .items[*]}{.metadata.name} {.spec.containers[0].env[0].valueFrom.configMapKeyRef.name}{"\n"}{end}`)
			if strings.Contains(pods, version) || strings.Count(pods, "\n") != 4 {
				t.Errorf("%s has ended, and these run:\n%s", verb, pods)
			}
			if after := w.strategy(); after != before {
				t.Errorf("it is left with %s, not %s", after, before)
			}
			if history := w.plugin("history", w.object, "-o", "json").ends(0).out.String(); strings.Contains(history, fmt.Sprintf("%q", "stable")) {
				t.Errorf("not all pods are of the current revision: %s", history)
			}
		})
	}
}
