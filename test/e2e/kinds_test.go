//go:build e2e

package e2e

import (
	"strings"
	"syscall"
	"testing"
)

// kindOfWorkload is a workload of any kind, whose pods have the image app:v1 at first.
type kindOfWorkload struct {
	*space
	kind, object string
	// own is the strategy that the API server has made of its manifest.
	own string
}

// image returns the image of the pod template.
func (w *kindOfWorkload) image() string {
	w.Helper()
	return w.kubectl("get", w.object, "-o", "jsonpath={.spec.template.spec.containers[0].image}")
}

// runsOnly expects the workload to be complete with an image, and to be as its manifest made it, apart from that.
func (w *kindOfWorkload) runsOnly(image string) {
	w.Helper()
	w.plugin("status", w.object).ends(0)
	if got := w.image(); got != image {
		w.Errorf("the image is %s, not %s", got, image)
	}
	pods := strings.Fields(w.kubectl("get", "pods", "-l", "app=x", "-o", "jsonpath={.items[*].spec.containers[0].image}"))
	for _, got := range pods {
		if got != image {
			w.Errorf("a pod has the image %s, not %s", got, image)
		}
	}
	if left := w.borrowed(); left != w.own {
		w.Errorf("it is left with %s, not %s", left, w.own)
	}
}

// borrowed returns what rollouts borrow from a workload, and their record.
func (w *kindOfWorkload) borrowed() string {
	w.Helper()
	return w.kubectl("get", w.object, "-o", `jsonpath={.metadata.annotations.rollout-plus/rollout}{.spec.updateStrategy}{.spec.strategy}{.spec.minReadySeconds}`)
}

// Every command that works in steps does so for all kinds: it rolls out, goes back, holds, and can be killed and taken up.
func TestEveryCommandForEveryKind(t *testing.T) {
	t.Parallel()
	for command, test := range map[string]func(w *kindOfWorkload){
		"start": func(w *kindOfWorkload) {
			w.plugin("start", w.object, "--image", "x:v2", "--env", "A=b", "--steps", "50%", "--change-cause", "two").
				ends(0, "from revision 1 (x:v1) to revision 2 (x:v2)", "step 2/2", "rolled out (revision 2)")
			w.runsOnly("x:v2")
			w.plugin("history", w.object).ends(0, "two")
			w.plugin("start", w.object, "--image", "x:v2").ends(0, "already")
		},
		"dry run": func(w *kindOfWorkload) {
			for _, dryRun := range []string{"client", "server"} {
				w.plugin("start", w.object, "--image", "x:v2", "--dry-run="+dryRun).ends(0, "STEP", "dry run")
			}
			w.runsOnly("x:v1")
		},
		"drain": func(w *kindOfWorkload) {
			w.plugin("start", w.object, "--image", "x:v2", "--drain", "7s").ends(0, "rolled out")
			if sleep := w.kubectl("get", w.object, "-o", "jsonpath={.spec.template.spec.containers[0].lifecycle.preStop.sleep.seconds}"); sleep != "7" {
				w.Errorf("the hook sleeps %q", sleep)
			}
		},
		"manifest": func(w *kindOfWorkload) {
			file := w.file(manifestOf(w.kind, "x", "x:v2", ""))
			w.plugin("check", "-f", file).ends(0, "Rights")
			for _, dryRun := range []string{"client", "server"} {
				w.plugin("start", "-f", file, "--dry-run="+dryRun).ends(0, "STEP", "dry run")
			}
			w.runsOnly("x:v1")
			w.plugin("start", "-f", file, "--steps", "50%").ends(0, "(x:v1)", "(x:v2)", "step 2/2", "rolled out (revision 2)")
			w.runsOnly("x:v2")
			w.plugin("start", "-f", file).ends(0, "already", "the rest of the manifest is applied")
			// The next apply removes nothing that the manifest does not name.
			w.kubectl("apply", "--server-side", "--field-manager=rollout-plus", "-f", file)
			w.runsOnly("x:v2")
			// A strategy of the manifest's goes with its version.
			strategy := map[string]string{
				"Deployment": "strategy: {rollingUpdate: {maxSurge: 2}}", "StatefulSet": "updateStrategy: {rollingUpdate: {partition: 1}}",
				"DaemonSet": "updateStrategy: {rollingUpdate: {maxUnavailable: 2}}",
			}[w.kind]
			w.plugin("start", "-f", w.file(manifestOf(w.kind, "x", "x:crash", strategy))).ends(5, "CrashLoopBackOff", "rolled back")
			w.runsOnly("x:v2")
		},
		"manifest killed": func(w *kindOfWorkload) {
			file := w.file(manifestOf(w.kind, "x", "x:v2", ""))
			p := w.plugin("start", "-f", file, "--steps", "1", "--hold", "1h")
			p.tells("watched for 1h0m0s")
			p.signal(syscall.SIGKILL)
			p.code()
			w.plugin("abort", w.object).ends(0, "rolled back")
			w.runsOnly("x:v1")
		},
		"manifest refused": func(w *kindOfWorkload) {
			before := w.kubectl("get", w.object, "-o", "jsonpath={.metadata.resourceVersion}{.spec}")
			selector := strings.ReplaceAll(manifestOf(w.kind, "x", "x:v2", ""), "app: x", "app: other")
			w.plugin("start", "-f", w.file(selector)).ends(1, "spec.selector", "never allows")
			if w.kind == "StatefulSet" {
				service := manifestOf(w.kind, "x", "x:v2", "serviceName: another, podManagementPolicy: Parallel")
				w.plugin("start", "-f", w.file(service)).ends(1, "spec.serviceName and spec.podManagementPolicy", "never allows", "--cascade=orphan")
			}
			if after := w.kubectl("get", w.object, "-o", "jsonpath={.metadata.resourceVersion}{.spec}"); after != before {
				w.Errorf("it is %s, not %s", after, before)
			}
		},
		"restart": func(w *kindOfWorkload) {
			w.plugin("restart", w.object, "--steps", "1").ends(0, "step 2/2", "rolled out (revision 2)")
			w.runsOnly("x:v1")
		},
		"undo": func(w *kindOfWorkload) {
			w.plugin("start", w.object, "--image", "x:v2", "--change-cause", "two").ends(0)
			w.plugin("start", w.object, "--image", "x:crash", "--steps", "1").ends(5, "CrashLoopBackOff", "rolled back")
			w.runsOnly("x:v2")
			w.plugin("undo", w.object, "--steps", "50%").ends(0, "failed", "step 2/2", "rolled out")
			w.runsOnly("x:v1")
			w.plugin("undo", w.object, "--steps", "50%", "--to-revision", "99").ends(1, "unable to find specified revision 99 in history")
		},
		"killed and resumed": func(w *kindOfWorkload) {
			p := w.plugin("start", w.object, "--image", "x:v2", "--steps", "1", "--hold", "1h")
			p.tells("watched for 1h0m0s")
			w.plugin("start", w.object, "--image", "x:v3").ends(1, "already under way (step 1 of 2)")
			p.signal(syscall.SIGKILL)
			p.code()
			w.plugin("pause", w.object).ends(0)
			p = w.plugin("resume", w.object)
			p.tells("watched for 1h0m0s")
			p.signal(syscall.SIGINT)
			p.ends(130)
			w.plugin("undo", w.object, "--steps", "1").ends(0, "rolled back")
			w.runsOnly("x:v1")
		},
		"killed and aborted": func(w *kindOfWorkload) {
			p := w.plugin("start", w.object, "--image", "x:slow", "--steps", "1", "-o", "json")
			p.tells(`"type":"step"`)
			p.signal(syscall.SIGKILL)
			p.code()
			w.plugin("abort", w.object).ends(0, "rolled back")
			w.runsOnly("x:v1")
		},
		"refused": func(w *kindOfWorkload) {
			w.plugin("start", w.object, "--image", "nothing=x:v2").ends(2, `there is no container "nothing"`)
			w.plugin("start", w.object, "--image", "x:v2", "--to-revision", "1").ends(2, "exclude each other")
			if w.kind != "Deployment" {
				w.plugin("start", w.object, "--image", "x:v2", "--max-surge", "1").ends(2, "--max-surge", "leave it out")
				w.kubectl("patch", w.object, "-p", `{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}`)
				w.plugin("start", w.object, "--image", "x:v2").ends(1, "OnDelete", "spec.updateStrategy.type")
			}
		},
	} {
		for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet"} {
			t.Run(command+"/"+kind, func(t *testing.T) {
				s := newSpace(t)
				w := &kindOfWorkload{space: s, kind: kind, object: strings.ToLower(kind) + "/x"}
				how := "create"
				if strings.HasPrefix(command, "manifest") {
					how = "apply" // client-side: start -f moves its fields
				}
				s.kubectl(how, "-f", s.file(manifestOf(kind, "x", "x:v1", "")))
				s.plugin("status", w.object).ends(0)
				w.own = w.borrowed()
				test(w)
			})
		}
	}
}
