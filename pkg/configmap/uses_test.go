package configmap

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestUses(t *testing.T) {
	t.Parallel()
	configMap := func(name string) corev1.EnvFromSource {
		return corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}
	}
	secret := func(name string) corev1.EnvFromSource {
		return corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}
	}
	web, login := Object{ConfigMap, "web"}, Object{Secret, "login"}
	for name, c := range map[string]struct {
		from        []corev1.EnvFromSource
		annotations map[string]string
		pull        string
		want        []Use
	}{
		"nothing":         {nil, nil, "", nil},
		"a version":       {[]corev1.EnvFromSource{configMap("web-m8mt92gg65")}, nil, "", []Use{{web, "web-m8mt92gg65"}}},
		"twice":           {[]corev1.EnvFromSource{configMap("web-m8mt92gg65"), configMap("web-m8mt92gg65")}, nil, "", []Use{{web, "web-m8mt92gg65"}}},
		"a longer hash":   {[]corev1.EnvFromSource{configMap("web-m8mt92gg65bcdfgh")}, nil, "", []Use{{web, "web-m8mt92gg65bcdfgh"}}},
		"not recorded":    {[]corev1.EnvFromSource{configMap("web")}, nil, "", []Use{{web, ""}}},
		"no hash":         {[]corev1.EnvFromSource{configMap("web-production")}, nil, "", []Use{{Object{ConfigMap, "web-production"}, ""}}},
		"nothing before":  {[]corev1.EnvFromSource{configMap("-m8mt92gg65")}, nil, "", []Use{{Object{ConfigMap, "-m8mt92gg65"}, ""}}},
		"in place":        {[]corev1.EnvFromSource{configMap("web")}, map[string]string{RecordKey(web): "web-m8mt92gg65"}, "", []Use{{web, "web-m8mt92gg65"}}},
		"of another kind": {[]corev1.EnvFromSource{secret("web")}, map[string]string{RecordKey(web): "web-m8mt92gg65"}, "", []Use{{Object{Secret, "web"}, ""}}},
		"left over":       {nil, map[string]string{RecordKey(web): "web-m8mt92gg65"}, "", nil},
		"both ways": {
			[]corev1.EnvFromSource{configMap("web"), configMap("web-m8mt92gg65")}, nil, "", []Use{{web, ""}, {web, "web-m8mt92gg65"}},
		},
		"sorted": {
			[]corev1.EnvFromSource{secret("login-m8mt92gg65"), configMap("web"), configMap("a")},
			nil, "",
			[]Use{{Object{ConfigMap, "a"}, ""}, {web, ""}, {login, "login-m8mt92gg65"}},
		},
		"for images": {nil, nil, "login", nil},
	} {
		template := &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Annotations: c.annotations}}
		template.Spec.Containers = []corev1.Container{{Name: "app", EnvFrom: c.from}}
		if c.pull != "" {
			template.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: c.pull}}
		}
		if got := Uses(template); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestHashOfUse(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"": "", "web-m8mt92gg65": "m8mt92gg65", "a-b-m8mt92gg65": "m8mt92gg65", "nonsense": ""} {
		if got := (&Use{Version: version}).Hash(); got != want {
			t.Errorf("%q: %q, want %q", version, got, want)
		}
	}
}
