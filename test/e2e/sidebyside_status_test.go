//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

func TestStatusSideBySide(t *testing.T) {
	t.Parallel()
	for _, s := range []story{
		{"complete", workloads(), []string{
			"make x", "complete x",
			"rollout status {}",
			"rollout status {} --watch=false",
			"rollout status {} -w=false",
			"rollout status {type} x",
			"rollout status {type}",
			"rollout status {type} -l app=x",
			"rollout status -f x.json",
			"rollout status -k kustomize",
			"rollout status -f - < x.json",
			"rollout status {} --timeout=1m",
			"rollout status {} --revision=1",
		}},
		{"new replicas", []string{"deployment"}, []string{
			"make x", "complete x",
			"set image {} app=app:never-ready", "await 1 out of 3 new replicas have been updated",
			"~rollout status {} --watch=false",
			"~rollout status {} --timeout=1s",
		}},
		{"old replicas", []string{"deployment"}, []string{
			`make x {"spec":{"strategy":{"rollingUpdate":{"maxSurge":3}}}}`, "complete x",
			"set image {} app=app:never-ready", "await 3 old replicas are pending termination",
			"~rollout status {} --watch=false",
			"~rollout status {} --timeout=1s",
		}},
		{"available replicas", []string{"deployment"}, []string{
			"make x " + broken, "await 0 of 3 updated replicas are available",
			"~rollout status {} --watch=false",
			"~rollout status {} --timeout=1s",
		}},
		{"progress deadline", []string{"deployment"}, []string{
			`make x {"spec":{"progressDeadlineSeconds":1,"template":{"spec":{"containers":[{"name":"app","image":"app:never-ready"}]}}}}`,
			"await exceeded its progress deadline",
			"~rollout status {}",
			"~rollout status {} --watch=false",
		}},
		{"paused", []string{"deployment"}, []string{
			"make x", "complete x",
			`patch {} -p {"spec":{"paused":true}}`,
			"~rollout status {}",
			"set image {} app=app:v2", "await 0 out of 3 new replicas have been updated",
			"~rollout status {} --watch=false",
		}},
		{"new pods", []string{"daemonset"}, []string{
			"make x", "complete x",
			"set image {} app=app:never-ready", "await 5 out of",
			"~rollout status {} --watch=false",
			"~rollout status {} --timeout=1s",
		}},
		{"available pods", []string{"daemonset"}, []string{
			"make x " + broken, "await updated pods are available",
			"~rollout status {} --watch=false",
			"~rollout status {} --timeout=1s",
		}},
		{"pods to be ready", []string{"statefulset"}, []string{
			"make x " + broken, "await Waiting for 3 pods to be ready",
			"~rollout status {} --watch=false",
			"~rollout status {} --timeout=1s",
		}},
		// Pods that are not available for an hour hold up their update.
		{"partitioned, standing", []string{"statefulset"}, []string{
			"make x", "complete x",
			`patch {} -p {"spec":{"minReadySeconds":3600,"template":{"metadata":{"labels":{"version":"two"}}}}}`,
			"await Waiting for partitioned roll out to finish: 0 out of 3 new pods have been updated",
			"~rollout status {} --watch=false",
			"~rollout status {} --timeout=1s",
		}},
		{"partitioned", []string{"statefulset"}, []string{
			`make x {"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}}}}`, "complete x",
			"set image {} app=app:v2", "await partitioned roll out complete: 1",
			"~rollout status {}",
			"~rollout status {} --watch=false",
		}},
		{"on delete", []string{"statefulset", "daemonset"}, []string{
			`make x {"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}`,
			"await rollout status is only available for RollingUpdate strategy type",
			"~rollout status {}",
			"~rollout status {} --watch=false",
		}},
		{"another revision", []string{"deployment"}, []string{
			"make x", "complete x",
			"~rollout status {} --revision=7",
		}},
		{"usage", workloads(), []string{
			"make x", "complete x",
			"~rollout status {} --revision=-1",
			"~rollout status",
			"~rollout status -l app=x",
			"~rollout status {} --timeout=soon",
			"~rollout status {} --nothing",
		}},
		{"nothing", workloads(), []string{
			"rollout status {type} -l app=none",
			"rollout status {type}",
			"~rollout status {}",
		}},
		{"wrong kind", []string{"deployment"}, []string{
			"create -f rc.json",
			"~rollout status rc/rc",
			"rollout status things/x",
			"~rollout status service/kubernetes -n default",
		}},
	} {
		s.tell(t)
	}
}

// Both follow a rollout to its end, and say so when the object goes meanwhile.
func TestStatusOfALiveRolloutSideBySide(t *testing.T) {
	t.Parallel()
	for _, kind := range workloads() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			p := &pair{T: t, kind: kind, sides: [2]*side{newSide(t, kind, "rollout"), newSide(t, kind, "rollout-plus")}}
			p.take("make x")
			p.take("complete x")
			p.take("set image {} app=app:slow")
			p.compare("~rollout status "+kind+"/x --watch=false", true)
			var last [2]string
			for i, side := range p.sides {
				told := side.run(side.rollout, "status", kind+"/x")
				last[i] = lastLine(told.out)
				// What may yet stand in the way of a slow pod is a warning, which kubectl has none of.
				if strings.Contains(told.errOut, "error:") || told.errOut != "" && (i == 0 || !strings.HasPrefix(told.errOut, "warning: ")) {
					t.Errorf("%s: on stderr %q", side.rollout, told.errOut)
				}
			}
			if last[0] != last[1] {
				t.Errorf("at its end kubectl tells %q, the plugin %q", last[0], last[1])
			}
			p.take("set image {} app=app:never-ready")
			var watching [2]*process
			for i, side := range p.sides {
				watching[i] = side.begin(side.rollout, "status", kind+"/x")
				watching[i].tells("Waiting for")
			}
			for i, side := range p.sides {
				side.must("delete", kind+"/x", "--wait=false")
				if watching[i].code() == 0 {
					t.Errorf("%s ends well with the object gone\n%s", side.rollout, watching[i].output())
				}
				watching[i].tells("error: object has been deleted")
			}
		})
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return lines[len(lines)-1]
}
