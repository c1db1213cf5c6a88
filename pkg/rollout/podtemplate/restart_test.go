package podtemplate

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func restarted(image, restartedAt string) corev1.PodTemplateSpec {
	template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: image}}}}
	if restartedAt != "" {
		template.Annotations = map[string]string{RestartedAtAnnotation: restartedAt}
	}
	return template
}

func TestOnlyRestarted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		a, b corev1.PodTemplateSpec
		want bool
	}{
		"the same":         {restarted("web:1", ""), restarted("web:1", ""), true},
		"restarted first":  {restarted("web:1", ""), restarted("web:1", "now"), true},
		"restarted again":  {restarted("web:1", "now"), restarted("web:1", "later"), true},
		"another image":    {restarted("web:1", ""), restarted("web:2", ""), false},
		"image and moment": {restarted("web:1", "now"), restarted("web:2", "later"), false},
	} {
		if got := OnlyRestarted(&test.a, &test.b); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestRestartedAtIsNeverTheSame(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)
	fresh, again := restarted("web:1", ""), restarted("web:1", "2026-01-02T03:04:05Z")
	if got := RestartedAt(&fresh, now); got != "2026-01-02T03:04:05Z" {
		t.Errorf("the first restart is at %s", got)
	}
	if got := RestartedAt(&again, now); got != "2026-01-02T03:04:05.0000006Z" {
		t.Errorf("the second within a second is at %s", got)
	}
}
