package impact

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// TestJudgeSecretsOfDrivers covers what only Secrets are used for.
func TestJudgeSecretsOfDrivers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ spec, want string }{
		"pull":      {"imagePullSecrets: [{name: web}]\n" + app("image: a"), "none"},
		"csi":       {mounts("csi: {driver: d, nodePublishSecretRef: {name: web}}", ""), "unsupported; app volume /etc/app"},
		"rbd":       {mounts("rbd: {monitors: [m], image: i, secretRef: {name: web}}", ""), "unsupported; app volume /etc/app"},
		"cephfs":    {mounts("cephfs: {monitors: [m], secretRef: {name: web}}", ""), "unsupported; app volume /etc/app"},
		"flex":      {mounts("flexVolume: {driver: d, secretRef: {name: web}}", ""), "unsupported; app volume /etc/app"},
		"cinder":    {mounts("cinder: {volumeID: x, secretRef: {name: web}}", ""), "unsupported; app volume /etc/app"},
		"iscsi":     {mounts("iscsi: {targetPortal: x, iqn: x, lun: 0, secretRef: {name: web}}", ""), "unsupported; app volume /etc/app"},
		"scaleIO":   {mounts("scaleIO: {gateway: x, system: x, secretRef: {name: web}}", ""), "unsupported; app volume /etc/app"},
		"storageos": {mounts("storageos: {secretRef: {name: web}}", ""), "unsupported; app volume /etc/app"},
		"azureFile": {mounts("azureFile: {secretName: web, shareName: s}", ""), "unsupported; app volume /etc/app"},
		"unmounted": {"volumes: [{name: v, csi: {driver: d, nodePublishSecretRef: {name: web}}}]\n" + app("image: a"), "none"},
		"another":   {mounts("csi: {driver: d, nodePublishSecretRef: {name: other}}", ""), "none"},
	} {
		spec := podSpec(t, c.spec)
		change := &Change{Object: configmap.Object{Kind: configmap.Secret, Name: "web"}, Old: text("a=1"), New: text("a=2")}
		if got := told(change.Judge(spec)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if concerns := change.Concerns(spec); concerns != (name != "another") {
			t.Errorf("%s: concerned %v", name, concerns)
		}
		change.New = change.Old
		if got := told(change.Judge(spec)); got != "none" {
			t.Errorf("%s, no change: got %q", name, got)
		}
	}
}

// TestJudgeVariablesFromFiles covers fileKeyRef: what is in such a file is made by the pod itself.
func TestJudgeVariablesFromFiles(t *testing.T) {
	t.Parallel()
	const writer = "volumes: [{name: v, configMap: {name: web}}, {name: e, emptyDir: {}}]\n" + `
containers:
- {name: writer, volumeMounts: [{name: v, mountPath: /in}, {name: e, mountPath: /out}]}
- {name: app, env: [{name: A, valueFrom: {fileKeyRef: {volumeName: e, path: env, key: A}}}]}
`
	spec := podSpec(t, writer)
	change := &Change{Object: web, Old: text("a=1"), New: text("a=2")}
	if got := told(change.Judge(spec)); got != "unsupported; app env A; writer volume a /in/a" {
		t.Error(got)
	}
	spec.Containers[0].VolumeMounts[0].SubPath = "b"
	if got := told((&Change{Object: web, Old: text("a=1 b=1"), New: text("a=2 b=1")}).Judge(spec)); got != "none" {
		t.Error(got)
	}
}

// TestSuppose is a change of every key. It blocks nothing, whatever its values would be.
func TestSuppose(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]string{
		app(inEnv + "]"):                       "restart; app env a A",
		app(inEnvFrom):                         "restart; app envFrom a a; app envFrom b b; app envFrom e e",
		mounts("configMap: {name: web}", ""):   "live; app volume a /etc/app/a; app volume b /etc/app/b; app volume e /etc/app/e; app volume x /etc/app/x",
		app("env: [{name: A, value: $(web)}]"): "none",
		strings.Replace(mounts("configMap: {name: web}", ", subPathExpr: $(A)"), "{name: app, ", "{name: app, "+inEnv+"], ", 1): "restart; app env a A; app subPath a /etc/app; app subPath a /etc/app/a; app subPath a A /etc/app; app subPath b /etc/app/b; app subPath e /etc/app/e; app subPath x /etc/app/x", // which file cannot be told
	} {
		if got := told(Supposed(web, binary(text("a=a b=2 e="), "x=1")).Judge(podSpec(t, spec))); got != want {
			t.Errorf("%s: got %q, want %q", spec, got, want)
		}
	}
}

// TestVersions are copies that templates reference: what their pods run with is what the change is measured by.
func TestVersions(t *testing.T) {
	t.Parallel()
	spec := podSpec(t, strings.Replace(app(inEnv+"]"), "name: web", "name: web-m8mt92gg65", 1))
	change := &Change{Object: web, Old: text("a=2"), New: text("a=1")}
	if change.Concerns(spec) {
		t.Error("a copy that is not known is not the object")
	}
	change.Versions = map[configmap.Object]*configmap.Content{{Kind: configmap.ConfigMap, Name: "web-m8mt92gg65"}: text("a=1")}
	if got := told(change.Judge(spec)); !change.Concerns(spec) || got != "none" {
		t.Errorf("back to what the version has: %s", got)
	}
	change.New = text("a=3")
	if got := told(change.Judge(spec)); got != "restart; app env a A" {
		t.Error(got)
	}
}

// TestFilesOfVersions is about files that running containers never see change: a version is immutable.
func TestFilesOfVersions(t *testing.T) {
	t.Parallel()
	version := configmap.Object{Kind: configmap.ConfigMap, Name: "web-m8mt92gg65"}
	both := "projected: {sources: [{configMap: {name: other}}, {configMap: {name: web-m8mt92gg65}}]}"
	for name, c := range map[string]struct{ spec, fresh, want string }{
		"volume":             {mounts("configMap: {name: web-m8mt92gg65}", ""), "a=2", "restart; app volume a /etc/app/a"},
		"added":              {mounts("configMap: {name: web-m8mt92gg65}", ""), "a=1 b=1", "restart; app volume b /etc/app/b"},
		"removed":            {mounts("configMap: {name: web-m8mt92gg65}", ""), "", "restart; app volume a /etc/app/a"},
		"outside items":      {mounts("configMap: {name: web-m8mt92gg65, items: [{key: a, path: a}]}", ""), "a=1 b=1", "none"},
		"projected":          {mounts("projected: {sources: [{configMap: {name: web-m8mt92gg65}}]}", ""), "a=2", "restart; app projected a /etc/app/a"},
		"what was covered":   {mounts(both, ""), "", "restart; app projected a /etc/app/a"},
		"of the object":      {mounts("configMap: {name: web}", ""), "a=2", "live; app volume a /etc/app/a"},
		"of another version": {mounts("configMap: {name: web-gggggggggg}", ""), "a=2", "none"},
	} {
		change := &Change{
			Object: web, Old: text("a=1"), New: text(c.fresh),
			Versions: map[configmap.Object]*configmap.Content{version: text("a=1")}, Others: map[configmap.Object]*configmap.Content{{Kind: configmap.ConfigMap, Name: "other"}: text("a=5")},
		}
		if got := told(change.Judge(podSpec(t, c.spec))); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]string{
		app(inEnvFrom): "",
		app("envFrom: [{configMapRef: {name: web}}, {secretRef: {name: s}}, {configMapRef: {name: o}}]"):                                     "secret/s configmap/o",
		app("envFrom: [{secretRef: {name: s}}], " + inEnv + "]"):                                                                             "",
		app(inEnvFrom + ", env: [{name: A, valueFrom: {configMapKeyRef: {name: o, key: a}}}]"):                                               "",
		app(inEnvFrom + ", env: [{name: A, valueFrom: {configMapKeyRef: {name: o, key: a, optional: true}}}]"):                               "configmap/o",
		mounts("projected: {sources: [{configMap: {name: web}}, {secret: {name: s}}, {secret: {name: i, items: [{key: k, path: p}]}}]}", ""): "secret/s",
		"containers: [{name: x, " + inEnvFrom + "}, {name: second, envFrom: [{configMapRef: {name: o}}]}]":                                   "",
		"imagePullSecrets: [{name: p}]\n" + app(inEnvFrom):                                                                                   "",
		"volumes: [{name: v, configMap: {name: o}}]\n" + app("volumeMounts: [{name: v, mountPath: /x}], "+inEnvFrom):                         "",
		strings.Replace(mounts("configMap: {name: web}", ", subPathExpr: $(P)"), "{name: app, ", `{name: app, env: [{name: A, valueFrom: {configMapKeyRef: {name: o, key: a}}}, `+
			`{name: B, valueFrom: {secretKeyRef: {name: s, key: b}}}, {name: P, value: $(A)/x}], envFrom: [{configMapRef: {name: e}}], `, 1): "configmap/o",
		strings.Replace(mounts("configMap: {name: web}", ", subPathExpr: $(A)"), "{name: app, ", "{name: app, envFrom: [{configMapRef: {name: e}}], ", 1): "configmap/e",
		strings.Replace(mounts("configMap: {name: o}", ", subPathExpr: $(B)"), "{name: app, ", "{name: app, envFrom: [{configMapRef: {name: e}}], ", 1):   "",
		"volumes: [{name: v, csi: {driver: d, nodePublishSecretRef: {name: s}}}]\n" + app("volumeMounts: [{name: v, mountPath: /x}], "+inEnvFrom):         "",
	} {
		var got []string
		for _, object := range (&Change{Object: web}).Needs(podSpec(t, spec)) {
			got = append(got, object.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", spec, got, want)
		}
	}
}

// TestAffected tells what becomes of each kind of workload.
func TestAffected(t *testing.T) {
	t.Parallel()
	template := corev1.PodTemplateSpec{Spec: *podSpec(t, app(inEnv+"]"))}
	meta := func(name string, owner ...string) metav1.ObjectMeta {
		m := metav1.ObjectMeta{Name: name}
		if len(owner) > 0 {
			m.OwnerReferences = []metav1.OwnerReference{{APIVersion: owner[0], Kind: owner[1], Name: owner[2], Controller: ptr.To(true)}}
		}
		return m
	}
	job := func(m metav1.ObjectMeta, conditions ...batchv1.JobCondition) *batchv1.Job {
		return &batchv1.Job{ObjectMeta: m, Spec: batchv1.JobSpec{Template: template}, Status: batchv1.JobStatus{Conditions: conditions}}
	}
	replicaSet := func(m metav1.ObjectMeta, replicas int32) *appsv1.ReplicaSet {
		return &appsv1.ReplicaSet{ObjectMeta: m, Spec: appsv1.ReplicaSetSpec{Replicas: &replicas, Template: template}}
	}
	pod := func(m metav1.ObjectMeta, phase corev1.PodPhase) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: m, Spec: template.Spec, Status: corev1.PodStatus{Phase: phase}}
	}
	onDelete := appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType}
	var cron batchv1.CronJob
	cron.Name, cron.Spec.JobTemplate.Spec.Template = "cron", template
	objects := []runtime.Object{
		&appsv1.Deployment{ObjectMeta: meta("web"), Spec: appsv1.DeploymentSpec{Template: template}},
		&appsv1.Deployment{ObjectMeta: meta("paused"), Spec: appsv1.DeploymentSpec{Template: template, Paused: true}},
		&appsv1.Deployment{ObjectMeta: meta("other")},
		&appsv1.StatefulSet{ObjectMeta: meta("db"), Spec: appsv1.StatefulSetSpec{Template: template, UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
			RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: ptr.To[int32](2)},
		}}},
		&appsv1.DaemonSet{ObjectMeta: meta("log"), Spec: appsv1.DaemonSetSpec{Template: template, UpdateStrategy: onDelete}},
		&cron, job(meta("once")), job(meta("cron-1", "batch/v1", "CronJob", "cron")),
		job(meta("done"), batchv1.JobCondition{Type: batchv1.JobComplete, Status: corev1.ConditionTrue}),
		replicaSet(meta("bare"), 1), replicaSet(meta("web-1", "apps/v1", "Deployment", "web"), 1),
		replicaSet(meta("roll-1", "argoproj.io/v1alpha1", "Rollout", "roll"), 1), replicaSet(meta("roll-2", "argoproj.io/v1alpha1", "Rollout", "roll"), 2),
		replicaSet(meta("old-1", "argoproj.io/v1alpha1", "Rollout", "old"), 0),
		&corev1.ReplicationController{ObjectMeta: meta("rc"), Spec: corev1.ReplicationControllerSpec{Template: &template}},
		&corev1.ReplicationController{ObjectMeta: meta("none")},
		pod(meta("alone"), corev1.PodRunning), pod(meta("ended"), corev1.PodSucceeded), pod(meta("web-1-x", "apps/v1", "ReplicaSet", "web-1"), corev1.PodRunning),
		pod(meta("x", "example.com/v1", "Thing", "mine"), corev1.PodRunning), &corev1.Service{},
	}
	var workloads []Workload
	for _, object := range objects {
		if w, found := WorkloadOf(object); found {
			workloads = append(workloads, w)
		}
	}
	var got []string
	for _, a := range (&Change{Object: web, Old: text("a=1"), New: text("a=2")}).Affected(workloads) {
		got = append(got, strings.TrimSuffix(a.Kind+"/"+a.Name+" "+string(a.Verdict)+": "+a.Note, ": "))
	}
	want := []string{
		"CronJob/cron unsupported: its next run takes it",
		"DaemonSet/log restart: OnDelete: pods are replaced when somebody deletes them",
		"Deployment/paused restart: it is paused",
		"Deployment/web restart",
		"Job/done none: it has finished",
		"Job/once unsupported: a Job cannot be changed",
		"Pod/alone unsupported: nothing replaces a bare Pod",
		"Pod/ended none: it has finished",
		"ReplicaSet/bare unsupported: its pods are not replaced by themselves",
		"ReplicationController/rc unsupported: its pods are not replaced by themselves",
		"Rollout/roll unsupported: this plugin does not restart a Rollout",
		"StatefulSet/db restart: pods below the partition 2 are not replaced",
		"Thing/mine unsupported: this plugin does not restart a Thing",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestChangedKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after *configmap.Content
		want          string
	}{
		"equal":     {text("a=1 e="), text("a=1 e="), ""},
		"emptied":   {text("a=1"), text("a="), "a"},
		"all":       {text("a=1 b=2 c=3"), text("b=3 c=3 d=4"), "a b d"},
		"to binary": {text("a=1"), binary(text(""), "a=1"), "a"},
		"binary":    {binary(text(""), "a=1 b=1"), binary(text(""), "a=2 b=1"), "a"},
	} {
		if got := strings.Join(configmap.ChangedKeys(c.before, c.after), " "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	old := binary(text("a=1 b=2"), "c=3")
	with := old.With(binary(text("c=4 d=5"), "a=6"), []string{"b"})
	if len(with.Text) != 2 || with.Text["c"] != "4" || string(with.Binary["a"]) != "6" || len(with.Binary) != 1 || len(old.Text) != 2 {
		t.Errorf("%v, and %v", with, old)
	}
}
