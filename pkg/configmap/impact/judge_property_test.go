package impact

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// mark is in every value, and must not be in anything that is told.
const mark = "hush"

// drawn is a pod that sees some keys of the ConfigMap web, each at places of its own.
type drawn struct {
	*rapid.T
	spec corev1.PodSpec
	n    int
}

var keys = []string{"a", "b", "c"}

func (d *drawn) name(prefix string) string {
	d.n++
	return fmt.Sprintf("%s%d", prefix, d.n)
}

// container is one of any sort.
func (d *drawn) container(sort string) *corev1.Container {
	c := corev1.Container{Name: d.name("c")}
	switch sort {
	case "init", "sidecar":
		if sort == "sidecar" {
			c.RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
		}
		d.spec.InitContainers = append(d.spec.InitContainers, c)
		return &d.spec.InitContainers[len(d.spec.InitContainers)-1]
	}
	d.spec.Containers = append(d.spec.Containers, c)
	return &d.spec.Containers[len(d.spec.Containers)-1]
}

var (
	local = corev1.LocalObjectReference{Name: "web"}
	// once are the ways in which a container sees a key when it starts, live those in which it does all the time.
	once = []string{"env", "expanded", "args", "command", "subPath", "subPathExpr"}
	live = []string{"items", "projected"}
)

// see lets a container see one key.
func (d *drawn) see(c *corev1.Container, way, key string) {
	variable := d.name("V")
	env := corev1.EnvVar{Name: variable, ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: local, Key: key}}}
	mount := corev1.VolumeMount{Name: d.name("v"), MountPath: d.name("/m")}
	items := []corev1.KeyToPath{{Key: key, Path: d.name("p") + "/x"}}
	source := corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: local}}
	switch way {
	case "env":
		c.Env = append(c.Env, env)
		return
	case "expanded":
		c.Env = append(c.Env, env, corev1.EnvVar{Name: d.name("E"), Value: "x$(" + variable + ")"})
		return
	case "args", "command":
		c.Env = append(c.Env, env)
		if way == "args" {
			c.Args = append(c.Args, "--x=$("+variable+")")
		} else {
			c.Command = append(c.Command, "$("+variable+")")
		}
		return
	case "subPath":
		mount.SubPath = key
	case "subPathExpr":
		c.Env = append(c.Env, corev1.EnvVar{Name: variable, Value: key})
		mount.SubPathExpr = "$(" + variable + ")"
	case "items":
		source.ConfigMap.Items = items
	case "projected":
		source = corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: local, Items: items}},
		}}}
	}
	d.spec.Volumes = append(d.spec.Volumes, corev1.Volume{Name: mount.Name, VolumeSource: source})
	c.VolumeMounts = append(c.VolumeMounts, mount)
}

// draw makes a pod whose containers see keys in all ways.
func draw(t *rapid.T) *drawn {
	d := &drawn{T: t}
	for range rapid.IntRange(1, 4).Draw(t, "containers") {
		c := d.container(rapid.SampledFrom([]string{"init", "sidecar", "main"}).Draw(t, "sort"))
		for range rapid.IntRange(0, 4).Draw(t, "references") {
			d.see(c, rapid.SampledFrom(append(slices.Clone(once), live...)).Draw(t, "way"), rapid.SampledFrom(keys).Draw(t, "key"))
		}
	}
	return d
}

func (d *drawn) content() *configmap.Content {
	content := &configmap.Content{Text: map[string]string{}, Binary: map[string][]byte{}}
	for _, key := range append(slices.Clone(keys), "unseen") {
		content.Text[key] = mark + rapid.SampledFrom([]string{"", "1", "$(X)", "$$", "../x", "/"}).Draw(d.T, "value")
	}
	return content
}

// change gives a key another value, takes it away, or makes it binary.
func (d *drawn) change(content *configmap.Content, key string, only ...string) *configmap.Content {
	how := rapid.SampledFrom(append([]string{"changed"}, only...)).Draw(d.T, "how")
	switch how {
	case "binary":
		return content.With(&configmap.Content{Binary: map[string][]byte{key: []byte(content.Text[key])}}, nil)
	case "removed":
		return content.With(&configmap.Content{}, []string{key})
	}
	return content.With(&configmap.Content{Text: map[string]string{key: content.Text[key] + "!"}}, nil)
}

func (d *drawn) judge(old, fresh *configmap.Content) Judgment {
	judged := (&Change{Object: web, Old: old, New: fresh}).Judge(&d.spec)
	if strings.Contains(fmt.Sprint(judged), mark) {
		d.Fatalf("a value is told: %v", judged)
	}
	return judged
}

// TestUnseenKeysTouchNobody is that there are no false positives.
func TestUnseenKeysTouchNobody(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		old := d.content()
		if got := d.judge(old, d.change(old, "unseen", "binary", "removed")); got.Verdict != None {
			t.Fatalf("%v", got)
		}
		if got := d.judge(old, old); got.Verdict != None {
			t.Fatalf("no change: %v", got)
		}
	})
}

// TestSeenKeysAreTold is that there are no false negatives: what some container sees at its start takes a restart, and
// what it cannot do without blocks.
func TestSeenKeysAreTold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		sort := rapid.SampledFrom([]string{"init", "sidecar", "main"}).Draw(t, "its sort")
		ways := once
		if sort == "init" {
			ways = append(slices.Clone(once), live...)
		}
		way, key := rapid.SampledFrom(ways).Draw(t, "its way"), rapid.SampledFrom(keys).Draw(t, "its key")
		c := d.container(sort)
		name := c.Name
		d.see(c, way, key)
		old := d.content()
		got := d.judge(old, d.change(old, key))
		if got.Verdict != Restart || !slices.ContainsFunc(got.Reasons, func(r Reason) bool { return r.Container == name && r.Key == key }) {
			t.Fatalf("%s of %s: %v", way, sort, got)
		}
		if got := d.judge(old, d.change(old.With(&configmap.Content{}, []string{key}), "unseen")); got.Verdict != Block {
			t.Fatalf("%s of %s removed: %v", way, sort, got)
		}
	})
}

// TestJudgingBackwards finds nothing where it found nothing forwards.
func TestJudgingBackwards(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		old := d.content()
		fresh := d.change(old, rapid.SampledFrom(keys).Draw(t, "changed"), "binary", "removed")
		if there, back := d.judge(old, fresh), d.judge(fresh, old); (there.Verdict == None) != (back.Verdict == None) {
			t.Fatalf("%v, but %v", there, back)
		}
	})
}
