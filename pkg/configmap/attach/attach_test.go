package attach

import (
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

const bare = `
spec:
  containers:
  - {name: app, env: [{name: OWN, value: x}]}
  - {name: side, volumeMounts: [{name: data, mountPath: /data}, {name: token, mountPath: /token/}]}
  initContainers:
  - {name: once}
  volumes:
  - {name: data, emptyDir: {}}
  - {name: token, projected: {sources: [{serviceAccountToken: {path: t}}]}}
`

// attached puts wires into the template above, and gives a field of the container and the pod's volumes.
func attached(t *testing.T, container, field string, wires ...Wire) (entries, volumes any, err error) {
	t.Helper()
	template := parsed(t, bare)
	err = Add(template, container, wires)
	spec := template["spec"].(map[string]any)
	target, failure := containerNamed(spec, container)
	if failure != nil {
		return nil, nil, err
	}
	return target[field], spec["volumes"].([]any)[2:], err
}

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// list is what a list in YAML holds.
func list(t *testing.T, text string) any {
	t.Helper()
	return parsed(t, "list: "+text)["list"]
}

func fileOf(head, key, at string) Wire {
	return Wire{Source: configmap.FromVolume, Head: configmap.Object{Kind: configmap.ConfigMap, Name: head}, Keys: []string{key}, Path: at, File: true}
}

func TestAttachVariables(t *testing.T) {
	t.Parallel()
	web, login := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}, configmap.Object{Kind: configmap.Secret, Name: "login"}
	for name, test := range map[string]struct {
		container, field, want string
		wire                   Wire
	}{
		"all keys":            {"", "envFrom", `[{configMapRef: {name: web}}]`, Wire{Source: configmap.FromEnvFrom, Head: web}},
		"with a prefix":       {"side", "envFrom", `[{configMapRef: {name: web}, prefix: W_}]`, Wire{Source: configmap.FromEnvFrom, Head: web, Prefix: "W_"}},
		"all of a Secret":     {"once", "envFrom", `[{secretRef: {name: login}}]`, Wire{Source: configmap.FromEnvFrom, Head: login}},
		"one before others":   {"app", "env", `[{name: A, valueFrom: {configMapKeyRef: {name: web, key: a}}}, {name: OWN, value: x}]`, Wire{Source: configmap.FromEnv, Head: web, Variable: "A", Keys: []string{"a"}}},
		"the first":           {"side", "env", `[{name: A, valueFrom: {configMapKeyRef: {name: web, key: a}}}]`, Wire{Source: configmap.FromEnv, Head: web, Variable: "A", Keys: []string{"a"}}},
		"one key of a Secret": {"side", "env", `[{name: T, valueFrom: {secretKeyRef: {name: login, key: t}}}]`, Wire{Source: configmap.FromEnv, Head: login, Variable: "T", Keys: []string{"t"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, volumes, err := attached(t, test.container, test.field, test.wire)
			if err != nil || !reflect.DeepEqual(got, list(t, test.want)) || !reflect.DeepEqual(volumes, []any{}) {
				t.Errorf("got %v with volumes %v (%v)", got, volumes, err)
			}
		})
	}
}

func TestAttachFiles(t *testing.T) {
	t.Parallel()
	web := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
	for name, test := range map[string]struct {
		container       string
		wires           []Wire
		mounts, volumes string
	}{
		"all files": {
			wires:  []Wire{{Source: configmap.FromVolume, Head: web, Path: "/etc/web/"}},
			mounts: `[{name: config-web, mountPath: /etc/web, readOnly: true}]`, volumes: `[{name: config-web, configMap: {name: web}}]`,
		},
		"some files of a Secret": {
			wires:   []Wire{{Source: configmap.FromVolume, Head: configmap.Object{Kind: configmap.Secret, Name: "login.v1"}, Keys: []string{"a", "b"}, Path: "/login"}},
			mounts:  `[{name: secret-login-v1, mountPath: /login, readOnly: true}]`,
			volumes: `[{name: secret-login-v1, secret: {secretName: login.v1, items: [{key: a, path: a}, {key: b, path: b}]}}]`,
		},
		"one in a folder for configuration alone": {
			wires:   []Wire{fileOf("web", "app.conf", "/config/web.conf")},
			mounts:  `[{name: config-web, mountPath: /config, readOnly: true}]`,
			volumes: `[{name: config-web, configMap: {name: web, items: [{key: app.conf, path: web.conf}]}}]`,
		},
		"two there": {
			wires:   []Wire{fileOf("web", "a", "/config/a"), fileOf("web", "b", "/config/b")},
			mounts:  `[{name: config-web, mountPath: /config, readOnly: true}]`,
			volumes: `[{name: config-web, configMap: {name: web, items: [{key: a, path: a}, {key: b, path: b}]}}]`,
		},
		"the same in two places": {
			wires:  []Wire{fileOf("web", "a", "/config/a"), fileOf("web", "a", "/etc/a")},
			mounts: `[{name: config-web, mountPath: /config, readOnly: true}, {name: config-web-2, mountPath: /etc/a, subPath: a, readOnly: true}]`,
			volumes: `[{name: config-web, configMap: {name: web, items: [{key: a, path: a}]}},
				{name: config-web-2, configMap: {name: web, items: [{key: a, path: a}]}}]`,
		},
		"one in a volume that can be written": {
			container: "side", wires: []Wire{fileOf("web", "a", "/data/a")},
			mounts: `[{name: data, mountPath: /data}, {name: token, mountPath: /token/},
				{name: config-web, mountPath: /data/a, subPath: a, readOnly: true}]`,
			volumes: `[{name: config-web, configMap: {name: web, items: [{key: a, path: a}]}}]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mounts, volumes, err := attached(t, test.container, "volumeMounts", test.wires...)
			if err != nil || !reflect.DeepEqual(mounts, list(t, test.mounts)) || !reflect.DeepEqual(volumes, list(t, test.volumes)) {
				t.Errorf("got  %v with volumes %v (%v)\nwant %v with volumes %v", mounts, volumes, err, list(t, test.mounts), list(t, test.volumes))
			}
		})
	}
}

// A volume hides what the image has in its folder, so a single file takes only one that images do not have.
func TestAttachedFileHidesNothing(t *testing.T) {
	t.Parallel()
	for at, folder := range map[string]string{
		"/config/a": "/config", "/configs/a": "/configs", "/conf//a": "/conf", "/secret/a": "/secret", "/secrets/a": "/secrets",
		"/etc/nginx/nginx.conf": "", "/nginx/nginx.conf": "", "/app/app.yaml": "", "/etc/profile.d/x.sh": "", "/conf.d/x": "",
		"/usr/local/tomcat/conf/server.xml": "", "/usr/share/elasticsearch/config/x.yml": "", "/config/nginx/a": "", "/etc/a": "", "/a": "",
	} {
		for _, head := range []string{"nginx", "app"} {
			mounts, _, err := attached(t, "", "volumeMounts", fileOf(head, "key", at))
			if err != nil {
				t.Fatal(err)
			}
			mount := mounts.([]any)[0].(map[string]any)
			if whole := mount["subPath"] == nil; whole != (folder != "") || whole && mount["mountPath"] != folder {
				t.Errorf("%s of %s: %v", at, head, mount)
			}
		}
	}
}

func TestAttachRefuses(t *testing.T) {
	t.Parallel()
	web := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
	for name, test := range map[string]struct {
		container, want string
		wires           []Wire
	}{
		"an unknown container": {"none", `there is no container "none" in the pod template; it has app, side, once`, []Wire{{Source: configmap.FromEnvFrom, Head: web}}},
		"a variable twice":     {"", `container "app" has a variable "OWN" already`, []Wire{{Source: configmap.FromEnv, Head: web, Variable: "OWN", Keys: []string{"a"}}}},
		"a folder twice":       {"side", "has a volume at /data already", []Wire{{Source: configmap.FromVolume, Head: web, Path: "/data"}}},
		"a file twice":         {"", "has a volume at /etc/a already", []Wire{fileOf("web", "a", "/etc/a"), fileOf("web", "b", "/etc/a")}},
		"a file of a folder twice": {
			"", "has a file /config/a already", []Wire{fileOf("web", "a", "/config/a"), fileOf("web", "b", "/config/a")},
		},
		"a file in a folder of another object": {
			"", "has a volume at /config, in which nothing else can be mounted", []Wire{fileOf("web", "a", "/config/a"), fileOf("other", "b", "/config/b")},
		},
		"a file in one that others have": {"side", "has a volume at /token, in which nothing else can be mounted", []Wire{fileOf("web", "a", "/token/a")}},
		"a folder above another": {
			"side", "has a volume at /data, which cannot be in one at /", []Wire{{Source: configmap.FromVolume, Head: web, Path: "/"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, _, err := attached(t, test.container, "volumeMounts", test.wires...); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWireChecksTheKeys(t *testing.T) {
	t.Parallel()
	content := &configmap.Content{Text: map[string]string{"a": "1"}, Binary: map[string][]byte{"b": {0xff}}}
	for name, test := range map[string]struct {
		wire Wire
		want string
	}{
		"there":                  {Wire{Source: configmap.FromEnv, Keys: []string{"a"}}, ""},
		"all":                    {Wire{Source: configmap.FromVolume}, ""},
		"binary as a file":       {Wire{Source: configmap.FromVolume, Keys: []string{"b"}}, ""},
		"missing":                {Wire{Source: configmap.FromVolume, Keys: []string{"a", "c"}}, `configmap/web has no key "c"; it has a, b`},
		"binary in the variable": {Wire{Source: configmap.FromEnv, Keys: []string{"b"}}, `key "b" of configmap/web is binary data`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.wire.Head = configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
			if err := test.wire.Check(content); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}
