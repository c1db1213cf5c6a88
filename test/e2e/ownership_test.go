//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// applied is a workload named web that helm applies server-side.
type applied struct {
	*space

	object string
	// edits are what the manifest has otherwise than at first.
	edits []string
}

var appliedManifests = map[string]string{
	"Deployment": `
  replicas: 4
  minReadySeconds: 1
  progressDeadlineSeconds: 300
  strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}
`,
	"StatefulSet": `
  replicas: 4
  serviceName: web
  updateStrategy: {rollingUpdate: {partition: 0}}
`,
	"DaemonSet": `
  updateStrategy: {rollingUpdate: {maxUnavailable: 3}}
`,
}

func newApplied(t *testing.T, kind string) *applied {
	t.Helper()
	a := &applied{space: newSpace(t), object: strings.ToLower(kind) + "/web"}
	a.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	a.apply(kind)
	a.kubectl("rollout", "status", a.object)
	return a
}

// apply applies the manifest as helm, without force. The edits are pairs of what is replaced in it, and by what.
func (a *applied) apply(kind string, edits ...string) {
	a.Helper()
	manifest := fmt.Sprintf(`apiVersion: apps/v1
kind: %s
metadata:
  name: web
  annotations: {kubernetes.io/change-cause: by helm}
spec:%s  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: web:v1
        env: [{name: COLOR, valueFrom: {configMapKeyRef: {name: settings, key: color}}}]
`, kind, appliedManifests[kind])
	a.edits = append(a.edits, edits...)
	file := a.write(a.dir(), "web.yaml", strings.NewReplacer(a.edits...).Replace(manifest))
	a.kubectl("apply", "--server-side", "--field-manager=helm", "-f", file)
}

// owners tells which fields of the spec each manager owns, without those of the pod template unless they are asked for.
func (a *applied) owners(template bool) string {
	a.Helper()
	var meta struct{ Metadata metav1.ObjectMeta }
	must(a.TB, json.Unmarshal([]byte(a.kubectl("get", a.object, "-o", "json", "--show-managed-fields")), &meta))
	if text := meta.Metadata.Annotations["rollout-plus/rollout"]; text != "" {
		a.Errorf("the rollout has left its record: %s", text)
	}
	found := map[string][]string{}
	for _, entry := range meta.Metadata.ManagedFields {
		set := fieldpath.NewSet()
		must(a.TB, set.FromJSON(strings.NewReader(entry.FieldsV1.GetRawString())))
		name := fmt.Sprintf("%s (%s%s)", entry.Manager, entry.Operation, entry.Subresource)
		set.Iterate(func(path fieldpath.Path) {
			text := path.String()
			inTemplate := strings.HasPrefix(text, ".spec.template") || strings.HasSuffix(text, "change-cause") || text == ".metadata.annotations"
			if strings.HasPrefix(text, ".status") || strings.Contains(text, "/revision") || inTemplate && !template {
				return
			}
			found[name] = append(found[name], text)
		})
	}
	text := ""
	for _, name := range slices.Sorted(maps.Keys(found)) {
		slices.Sort(found[name])
		text += name + "\n  " + strings.Join(found[name], "\n  ") + "\n"
	}
	return text
}

// owned expects the same owners as before.
func (a *applied) owned(before string, template bool) {
	a.Helper()
	if after := a.owners(template); after != before {
		a.Errorf("owners before\n%s\nand after\n%s", before, after)
	}
}

// Whoever owned a borrowed field before a rollout owns it again afterwards, whatever becomes of the rollout.
func TestBorrowedFieldsGoBackToTheirOwners(t *testing.T) {
	t.Parallel()
	deployments := map[string]func(a *applied){
		"restart": func(a *applied) {
			a.plugin("restart", a.object, "--steps", "50%", "--wait").ends(0)
		},
		"start and undo": func(a *applied) {
			a.plugin("start", a.object, "--image", "web:v2").ends(0)
			a.plugin("undo", a.object, "--wait").ends(0)
		},
		"under a name of the user's": func(a *applied) {
			a.plugin("start", a.object, "--image", "web:v2", "--field-manager", "helm", "--steps", "1").ends(0)
			a.plugin("start", a.object, "--image", "web:v1", "--field-manager", "helm").ends(0)
		},
		"config set": func(a *applied) {
			a.plugin("config", "set", "settings", "color=red", "--yes", "--pin").ends(0)
			a.plugin("undo", a.object, "--wait").ends(0)
		},
	}
	for name, roll := range deployments {
		t.Run(name, func(t *testing.T) {
			a := newApplied(t, "Deployment")
			before := a.owners(false)
			roll(a)
			a.owned(before, false)
			a.apply("Deployment", "maxSurge: 25%", "maxSurge: 3", "  minReadySeconds: 1\n", "")
			if got := a.kubectl("get", a.object, "-o", "jsonpath={.spec.strategy.rollingUpdate.maxSurge} {.spec.minReadySeconds}"); got != "3 " {
				t.Errorf("after the next apply there are maxSurge and minReadySeconds %q", got)
			}
		})
	}
	for kind, changed := range map[string][]string{
		"StatefulSet": {"partition: 0", "partition: 1"}, "DaemonSet": {"maxUnavailable: 3", "maxUnavailable: 2"},
	} {
		t.Run(kind, func(t *testing.T) {
			a := newApplied(t, kind)
			before := a.owners(false)
			a.plugin("config", "set", "settings", "color=red", "--yes", "--pin", "--steps", "1").ends(0)
			a.owned(before, false)
			a.plugin("undo", a.object, "--wait").ends(0)
			a.owned(before, false)
			a.apply(kind, changed...)
		})
	}
}

// A rollback asked for nothing, so that the template has its owners back, too. Another process than the one that began knows
// them.
func TestARollbackGivesTheTemplateBackToItsOwners(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string][]string{"own limits": nil, "other limits": {"--max-surge", "1", "--max-unavailable", "0"}} {
		t.Run("failed within "+name, func(t *testing.T) {
			a := newApplied(t, "Deployment")
			before := a.owners(true)
			a.plugin(append([]string{"start", a.object, "--image", "web:broken", "--change-cause", "v2"}, limits...)...).ends(5)
			a.owned(before, true)
		})
		t.Run("killed within "+name, func(t *testing.T) {
			a := newApplied(t, "Deployment")
			before := a.owners(true)
			p := a.begin(append([]string{"rollout-plus", "start", a.object, "--image", "web:never-ready"}, limits...)...)
			p.tells("step 1/")
			p.signal(syscall.SIGKILL)
			<-p.done
			a.plugin("abort", a.object, "--field-manager", "another").ends(0)
			a.owned(before, true)
		})
	}
	for _, kind := range []string{"StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			a := newApplied(t, kind)
			before := a.owners(true)
			a.breaks(a.versionOfConfig("color=red"))
			a.plugin("config", "set", "settings", "color=red", "--yes", "--pin", "--steps", "1").ends(5)
			a.owned(before, true)
		})
	}
}

// A driver that was killed after its last write has left the owners of fields without them. A resume makes up for that, though
// there is nothing to go on with.
func TestResumeReturnsWhatAKilledDriverOwes(t *testing.T) {
	const ended = `{"schemaVersion":1,"from":{"revision":1},"toRevision":2,"plan":{"steps":["100%"],"limits":{"surge":0,"unavailable":1},` +
		`"hold":"0s","onFailure":"rollback"},"step":1,"owners":{"writers":["rollout-plus"],"before":[]},"ended":"done","startedAt":"2026-07-01T12:00:00Z"}`
	s := newSpace(t)
	s.rolledOut(manifestOf("Deployment", "web", "web:v1", ""), manifestOf("StatefulSet", "db", "db:v1", ""))
	for object, tells := range map[string]string{"deployment/web": "is not paused", "statefulset/db": "resuming is not supported"} {
		s.kubectl("annotate", object, "--field-manager=rollout-plus", "rollout-plus/rollout="+ended)
		s.plugin("resume", object).ends(1, tells)
		if left := s.kubectl("get", object, "-o", `jsonpath={.metadata.annotations.rollout-plus/rollout}`); left != "" {
			t.Errorf("%s: it is left with %s", object, left)
		}
	}
}
