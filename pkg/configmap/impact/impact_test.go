package impact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// podSpec reads a pod spec; `app` is the usual container, whose fields come as they are.
func podSpec(t testing.TB, text string) *corev1.PodSpec {
	t.Helper()
	spec := &corev1.PodSpec{}
	asJSON, err := yaml.ToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	decoder := json.NewDecoder(bytes.NewReader(asJSON))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(spec); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return spec
}

// app is a pod with one container.
func app(fields string) string { return "containers: [{name: app, " + fields + "}]" }

// mounts is a pod whose container mounts a volume at /etc/app.
func mounts(volume, mount string) string {
	return "volumes: [{name: v, " + volume + "}]\n" + app("volumeMounts: [{name: v, mountPath: /etc/app"+mount+"}]")
}

const (
	inEnv     = "env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: a}}}"
	inEnvFrom = "envFrom: [{configMapRef: {name: web}}]"
)

// text and binary make the content of the tests short: "a=1 b=2".
func text(pairs string) *configmap.Content {
	content := &configmap.Content{Text: map[string]string{}}
	for pair := range strings.FieldsSeq(pairs) {
		key, value, _ := strings.Cut(pair, "=")
		content.Text[key] = value
	}
	return content
}

func binary(content *configmap.Content, pairs string) *configmap.Content {
	content.Binary = map[string][]byte{}
	for key, value := range text(pairs).Text {
		content.Binary[key] = []byte(value)
	}
	return content
}

var web = configmap.Object{Kind: configmap.ConfigMap, Name: "web"}

// told is a judgment in one line: the verdict, then container, source, key, variable and path of each reason.
func told(j Judgment) string {
	line := string(j.Verdict)
	for _, r := range j.Reasons {
		line += fmt.Sprintf("; %s %s %s", r.Container, r.Source, strings.Join(slices.DeleteFunc([]string{r.Key, r.Variable, r.Path},
			func(s string) bool { return s == "" }), " "))
	}
	return line
}

type judgeCase struct {
	spec     string
	old, new *configmap.Content // a=1 b=2 and what is set in new
	others   map[configmap.Object]*configmap.Content
	want     string
}

func TestJudgeEnvironment(t *testing.T) {
	t.Parallel()
	ab := text("a=1 b=2")
	other := func(pairs string) map[configmap.Object]*configmap.Content {
		return map[configmap.Object]*configmap.Content{{Kind: configmap.ConfigMap, Name: "other"}: text(pairs)}
	}
	check(t, map[string]judgeCase{
		"env":               {app(inEnv + "]"), ab, text("a=9 b=2"), nil, "restart; app env a A"},
		"env, another key":  {app(inEnv + "]"), ab, text("a=1 b=9"), nil, "none"},
		"env, added key":    {app(inEnv + "]"), ab, text("a=1 b=2 c=3"), nil, "none"},
		"env, emptied":      {app(inEnv + "]"), ab, text("a= b=2"), nil, "restart; app env a A"},
		"env, key goes":     {app(inEnv + "]"), ab, text("b=2"), nil, "block; app env a A"},
		"env, object goes":  {app(inEnv + "]"), ab, nil, nil, "block; app env a A"},
		"env, to binary":    {app(inEnv + "]"), ab, binary(text("b=2"), "a=1"), nil, "block; app env a A"},
		"env, from binary":  {app(inEnv + "]"), binary(text("b=2"), "a=1"), ab, nil, "restart; app env a A; app env a A"},
		"env, missing then": {app(inEnv + "]"), text("b=2"), text("b=3"), nil, "none"},
		"env, missing then and a change": {
			app(inEnv + ", {name: B, valueFrom: {configMapKeyRef: {name: web, key: b}}}]"), text("b=2"), text("b=3"), nil,
			"block; app env a A; app env b B",
		},
		"optional env":           {app("env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: a, optional: true}}}]"), ab, text("b=2"), nil, "restart; app env a A"},
		"optional env comes":     {app("env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: a, optional: true}}}]"), text("b=2"), ab, nil, "restart; app env a A"},
		"optional env, binary":   {app("env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: a, optional: true}}}]"), ab, binary(text("b=2"), "a=1"), nil, "restart; app env a A"},
		"a Secret of that name":  {app("env: [{name: A, valueFrom: {secretKeyRef: {name: web, key: a}}}]"), ab, text("a=9"), nil, "none"},
		"envFrom":                {app(inEnvFrom), ab, text("a=1 b=3"), nil, "restart; app envFrom b b"},
		"envFrom, added":         {app(inEnvFrom), ab, text("a=1 b=2 c=3"), nil, "restart; app envFrom c c"},
		"envFrom, removed":       {app(inEnvFrom), ab, text("a=1"), nil, "restart; app envFrom b b"},
		"envFrom, a file's name": {app(inEnvFrom), ab, text("a=1 b=2 app.conf=3"), nil, "restart; app envFrom app.conf app.conf"},
		"envFrom, binary":        {app(inEnvFrom), ab, binary(text("a=1 b=2"), "c=3"), nil, "none"},
		"envFrom, to binary":     {app(inEnvFrom), ab, binary(text("a=1"), "b=2"), nil, "restart; app envFrom b b"},
		"envFrom, object goes":   {app(inEnvFrom), text("a=1"), nil, nil, "block; app envFrom ; app envFrom a a"},
		"envFrom, optional goes": {app("envFrom: [{configMapRef: {name: web, optional: true}}]"), text("a=1"), nil, nil, "restart; app envFrom a a"},
		"envFrom, prefix":        {app("envFrom: [{prefix: P_, configMapRef: {name: web}}]"), ab, text("a=9 b=2"), nil, "restart; app envFrom a P_a"},
		"shadowed by env":        {app(inEnvFrom + ", env: [{name: a, value: own}]"), ab, text("a=9 b=2"), nil, "none"},
		"shadowed by env but used before": {
			app(inEnvFrom + ", env: [{name: C, value: $(a)}, {name: a, value: own}]"), ab, text("a=9 b=2"), nil, "restart; app env a C",
		},
		"not shadowed, for the prefix": {
			app("envFrom: [{prefix: P_, configMapRef: {name: web}}], env: [{name: a, value: own}]"), ab, text("a=9 b=2"), nil, "restart; app envFrom a P_a",
		},
		"shadowed by a later envFrom":    {app("envFrom: [{configMapRef: {name: web}}, {configMapRef: {name: other}}]"), ab, text("a=9 b=2"), other("a=5"), "none"},
		"not by an earlier envFrom":      {app("envFrom: [{configMapRef: {name: other}}, {configMapRef: {name: web}}]"), ab, text("a=9 b=2"), other("a=5"), "restart; app envFrom a a"},
		"not by an unknown envFrom":      {app("envFrom: [{configMapRef: {name: web}}, {configMapRef: {name: other}}]"), ab, text("a=9 b=2"), nil, "restart; app envFrom a a"},
		"removed, an earlier one shows":  {app("envFrom: [{configMapRef: {name: other}}, {configMapRef: {name: web}}]"), ab, text("b=2"), other("a=5"), "restart; app envFrom a a"},
		"removed, an equal one shows":    {app("envFrom: [{configMapRef: {name: other}}, {configMapRef: {name: web}}]"), ab, text("b=2"), other("a=1"), "none"},
		"an optional key shows envFrom":  {app(inEnvFrom + ", env: [{name: a, valueFrom: {configMapKeyRef: {name: other, key: a, optional: true}}}]"), ab, text("a=9 b=2"), other("z=1"), "restart; app envFrom a a"},
		"an optional key covers envFrom": {app(inEnvFrom + ", env: [{name: a, valueFrom: {configMapKeyRef: {name: other, key: a, optional: true}}}]"), ab, text("a=9 b=2"), other("a=1"), "none"},
		"a required key covers envFrom":  {app(inEnvFrom + ", env: [{name: a, valueFrom: {configMapKeyRef: {name: other, key: a}}}]"), ab, text("a=9 b=2"), nil, "none"},
		"expanded in env":                {app(inEnvFrom + ", env: [{name: C, value: x$(a)}, {name: D, value: $(C)}]"), ab, text("a=9 b=2"), nil, "restart; app env a C; app env a D; app envFrom a a"},
		"not expanded before its turn":   {app("env: [{name: C, value: $(A)}, {name: A, valueFrom: {configMapKeyRef: {name: web, key: a}}}]"), ab, text("a=9 b=2"), nil, "restart; app env a A"},
		"escaped":                        {app(inEnv + ", {name: C, value: $$(A)}]"), ab, text("a=9 b=2"), nil, "restart; app env a A"},
		"command and args":               {app(inEnv + "], command: [run, $(A)], args: [--x=$(A), $(A), $$(A), $(B)]"), ab, text("a=9 b=2"), nil, "restart; app env a A; app command a A; app args a A"},
		"init container":                 {"initContainers: [{name: first, " + inEnv + "]}]\n" + app("image: a"), ab, text("a=9 b=2"), nil, "restart; first env a A"},
		"sidecar": {
			"initContainers: [{name: side, restartPolicy: Always, " + inEnvFrom + "}]\n" + app("image: a"), ab, text("a=9 b=2"), nil, "restart; side envFrom a a",
		},
		"ephemeral container": {"ephemeralContainers: [{name: debug, " + inEnvFrom + "}]\n" + app("image: a"), ab, text("a=9 b=2"), nil, "restart; debug envFrom a a"},
	})
}

func TestJudgeFiles(t *testing.T) {
	t.Parallel()
	ab := text("a=1 b=2")
	other := func(pairs string) map[configmap.Object]*configmap.Content {
		return map[configmap.Object]*configmap.Content{{Kind: configmap.ConfigMap, Name: "other"}: text(pairs)}
	}
	const all = "configMap: {name: web}"
	const items = "configMap: {name: web, items: [{key: a, path: conf/a.conf}]}"
	const both = "projected: {sources: [{configMap: {name: web}}, {configMap: {name: other}}]}"
	check(t, map[string]judgeCase{
		"volume":                {mounts(all, ""), ab, text("a=9 b=2"), nil, "live; app volume a /etc/app/a"},
		"volume, added":         {mounts(all, ""), ab, text("a=1 b=2 c=3"), nil, "live; app volume c /etc/app/c"},
		"volume, removed":       {mounts(all, ""), ab, text("a=1"), nil, "live; app volume b /etc/app/b"},
		"volume, binary":        {mounts(all, ""), ab, binary(text("a=1 b=2"), "c=3"), nil, "live; app volume c /etc/app/c"},
		"volume, same as file":  {mounts(all, ""), ab, binary(text("a=1"), "b=2"), nil, "none"},
		"volume, object goes":   {mounts(all, ""), text("a=1"), nil, nil, "block; app volume /etc/app; app volume a /etc/app/a"},
		"volume, optional goes": {mounts("configMap: {name: web, optional: true}", ""), text("a=1"), nil, nil, "live; app volume a /etc/app/a"},
		"items":                 {mounts(items, ""), ab, text("a=9 b=2"), nil, "live; app volume a /etc/app/conf/a.conf"},
		"outside items":         {mounts(items, ""), ab, text("a=1 b=9 c=1"), nil, "none"},
		"items, key goes":       {mounts(items, ""), ab, text("b=2"), nil, "block; app volume a /etc/app"},
		"items, to binary":      {mounts(items, ""), ab, binary(text("b=2"), "a=1"), nil, "none"},
		"items, optional goes": {
			mounts("configMap: {name: web, optional: true, items: [{key: a, path: a}]}", ""), ab, text("b=2"), nil, "live; app volume a /etc/app/a",
		},
		"no container mounts it": {"volumes: [{name: v, " + items + "}]\n" + app("image: a"), ab, text("b=2"), nil, "none"},
		"an init container's": {
			"volumes: [{name: v, " + all + "}]\ninitContainers: [{name: first, volumeMounts: [{name: v, mountPath: /in}]}]\n" + app("image: a"),
			ab, text("a=9 b=2"), nil, "restart; first volume a /in/a",
		},
		"a sidecar's": {
			"volumes: [{name: v, " + all + "}]\ninitContainers: [{name: side, restartPolicy: Always, volumeMounts: [{name: v, mountPath: /in}]}]\n" + app("image: a"),
			ab, text("a=9 b=2"), nil, "live; side volume a /in/a",
		},
		"subPath":                  {mounts(all, ", subPath: a"), ab, text("a=9 b=2"), nil, "restart; app subPath a /etc/app"},
		"subPath, another":         {mounts(all, ", subPath: a"), ab, text("a=1 b=9"), nil, "none"},
		"subPath goes":             {mounts(all, ", subPath: a"), ab, text("b=2"), nil, "block; app subPath a /etc/app"},
		"subPath, optional":        {mounts("configMap: {name: web, optional: true}", ", subPath: a"), ab, text("b=2"), nil, "restart; app subPath a /etc/app"},
		"subPath of items":         {mounts(items, ", subPath: conf"), ab, text("a=9 b=2"), nil, "restart; app subPath a /etc/app/a.conf"},
		"subPath, not a prefix":    {mounts("configMap: {name: web, items: [{key: a, path: confx/a},{key: b, path: conf/b}]}", ", subPath: conf"), ab, text("a=9 b=2"), nil, "none"},
		"subPathExpr with field":   {strings.Replace(mounts(all, ", subPathExpr: $(POD)"), "{name: app, ", "{name: app, env: [{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}], ", 1), ab, text("a=9 b=2"), nil, "restart; app subPath a /etc/app/a"},
		"subPathExpr with value":   {strings.Replace(mounts(all, ", subPathExpr: $(F)"), "{name: app, ", "{name: app, env: [{name: F, value: a}], ", 1), ab, text("a=1 b=9"), nil, "none"},
		"subPathExpr elsewhere":    {strings.Replace(mounts("emptyDir: {}", ", subPathExpr: $(A)"), "{name: app, ", "{name: app, "+inEnv+"], ", 1), ab, text("a=9 b=2"), nil, "restart; app env a A; app subPath a A /etc/app"},
		"subPathExpr is emptied":   {strings.Replace(mounts("emptyDir: {}", ", subPathExpr: $(A)"), "{name: app, ", "{name: app, "+inEnv+"], ", 1), ab, text("a= b=2"), nil, "block; app subPath a A /etc/app; app env a A"},
		"subPathExpr leads out":    {strings.Replace(mounts("emptyDir: {}", ", subPathExpr: $(A)"), "{name: app, ", "{name: app, "+inEnv+"], ", 1), ab, text("a=../x b=2"), nil, "block; app subPath a /etc/app; app env a A"},
		"projected":                {mounts("projected: {sources: [{configMap: {name: web}}]}", ""), ab, text("a=9 b=2"), nil, "live; app projected a /etc/app/a"},
		"projected, items":         {mounts("projected: {sources: [{configMap: {name: web, items: [{key: a, path: x}]}}]}", ""), ab, text("a=1 b=9"), nil, "none"},
		"projected, key goes":      {mounts("projected: {sources: [{configMap: {name: web, items: [{key: a, path: x}]}}]}", ""), ab, text("b=9"), nil, "block; app projected a /etc/app"},
		"projected, covered":       {mounts(both, ""), ab, text("a=9 b=2"), other("a=5"), "none"},
		"projected, not covered":   {mounts(both, ""), ab, text("a=1 b=9"), other("a=5"), "live; app projected b /etc/app/b"},
		"projected, not read":      {mounts(both, ""), ab, text("a=9 b=2"), nil, "live; app projected a /etc/app/a"},
		"projected, covers":        {mounts("projected: {sources: [{configMap: {name: other}}, {configMap: {name: web}}]}", ""), ab, text("a=9 b=2"), other("a=5"), "live; app projected a /etc/app/a"},
		"projected, a token's":     {mounts("projected: {sources: [{configMap: {name: web}}, {serviceAccountToken: {path: a}}]}", ""), ab, text("a=9 b=2"), nil, "none"},
		"projected, a field's":     {mounts("projected: {sources: [{configMap: {name: web}}, {downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.name}}]}}]}", ""), ab, text("a=9 b=2"), nil, "none"},
		"projected, known items":   {mounts("projected: {sources: [{configMap: {name: web}}, {secret: {name: s, items: [{key: k, path: a}]}}]}", ""), ab, text("a=9 b=2"), nil, "none"},
		"projected, optional item": {mounts("projected: {sources: [{configMap: {name: web}}, {secret: {name: s, optional: true, items: [{key: k, path: a}]}}]}", ""), ab, text("a=9 b=2"), nil, "live; app projected a /etc/app/a"},
		"projected by subPath":     {mounts("projected: {sources: [{configMap: {name: web}}]}", ", subPath: a"), ab, text("a=9 b=2"), nil, "restart; app subPath a /etc/app"},
		"covered by a mount": {
			"volumes: [{name: v, " + all + "}, {name: e, emptyDir: {}}]\n" + app("volumeMounts: [{name: v, mountPath: /etc/app}, {name: e, mountPath: /etc/app/a}]"),
			ab, text("a=9 b=2"), nil, "none",
		},
		"not covered by a folder above": {
			"volumes: [{name: v, " + all + "}, {name: e, emptyDir: {}}]\n" + app("volumeMounts: [{name: v, mountPath: /etc/app}, {name: e, mountPath: /etc}]"),
			ab, text("a=9 b=2"), nil, "live; app volume a /etc/app/a",
		},
		"files and environment": {mounts(all, "}], "+inEnv+"], volumeDevices: [{name: x, devicePath: /x"), ab, text("a=9 b=9"), nil, "restart; app env a A; app volume a /etc/app/a; app volume b /etc/app/b"},
	})
}

func check(t *testing.T, cases map[string]judgeCase) {
	t.Helper()
	for name, c := range cases {
		change := &Change{Object: web, Old: c.old, New: c.new, Others: c.others}
		spec := podSpec(t, c.spec)
		if got := told(change.Judge(spec)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		// The same for a Secret, where it makes a difference only that it has no binary data.
		if len(c.old.Binary) > 0 || c.new != nil && len(c.new.Binary) > 0 || strings.Contains(c.spec, "secret") {
			continue
		}
		mirrored := strings.NewReplacer("configMapKeyRef", "secretKeyRef", "configMapRef", "secretRef", "configMap: {name: web", "secret: {NAME: web",
			"configMap", "secret").Replace(c.spec)
		inSource := strings.Contains(mirrored, "sources:")
		mirrored = strings.ReplaceAll(mirrored, "NAME:", map[bool]string{true: "name:", false: "secretName:"}[inSource])
		change.Object.Kind, change.Others = configmap.Secret, map[configmap.Object]*configmap.Content{}
		for object, content := range c.others {
			change.Others[configmap.Object{Kind: configmap.Secret, Name: object.Name}] = content
		}
		if got := told(change.Judge(podSpec(t, mirrored))); got != c.want {
			t.Errorf("%s, as a Secret: got %q, want %q", name, got, c.want)
		}
	}
}
