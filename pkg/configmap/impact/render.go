package impact

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// lookup returns what an object holds, or nil if the object does not exist. known is false if the object was not read.
type lookup func(configmap.Object) (content *configmap.Content, known bool)

// place is where a container sees something: a variable, an argument or a file.
type place struct {
	container, what, name string
}

// fact is what a container sees at a place, or a problem that keeps it from starting.
type fact struct {
	value   string
	problem string
	// once says that a running container sees a new value only after a restart.
	once  bool
	order int
	// keys are the keys of the changed object that make up the value.
	keys   []string
	reason Reason
}

// view is everything that the containers of a pod see of their configuration.
type view map[place]fact

// renderer renders one pod template by the kubelet's rules.
type renderer struct {
	spec    *corev1.PodSpec
	read    lookup
	touches func(configmap.Object) bool
	// pinned reports whether an object is a version. Versions are immutable.
	pinned func(configmap.Object) bool
	view   view
}

// render returns what the containers of a pod see of their configuration.
func render(spec *corev1.PodSpec, read lookup, touches, pinned func(configmap.Object) bool) view {
	r := &renderer{spec: spec, read: read, touches: touches, pinned: pinned, view: view{}}
	for _, c := range configmap.ContainersOf(spec) {
		vars := r.environment(c)
		for name, v := range vars {
			r.variable(c, place{c.Name, "variable", name}, Reason{Source: v.source, Variable: name}, vars)
		}
		r.words(c, configmap.FromCommand, c.Command, vars)
		r.words(c, configmap.FromArgs, c.Args, vars)
		for i := range c.VolumeMounts {
			r.mount(c, &c.VolumeMounts[i], vars)
		}
	}
	return r.view
}

func (r *renderer) put(c configmap.Container, at place, f fact) {
	f.order, f.reason.Container = c.Order, c.Name
	r.view[at] = f
}

// problem records something that keeps the container from starting.
func (r *renderer) problem(c configmap.Container, reason Reason, keys []string, format string, args ...any) {
	at := place{c.Name, "problem", string(reason.Source) + " " + reason.Variable + " " + reason.Path + fmt.Sprint(keys)}
	r.put(c, at, fact{problem: fmt.Sprintf(format, args...), once: true, keys: keys, reason: reason})
}

// words records the variables used in a command or its arguments. A word without variables is the same whatever the
// configuration.
func (r *renderer) words(c configmap.Container, source configmap.Source, words []string, vars variables) {
	for _, word := range words {
		_, used := vars.expand(word)
		for _, name := range used {
			r.variable(c, place{c.Name, string(source), name}, Reason{Source: source, Variable: name}, vars)
		}
	}
}

// variable records a place whose text contains a variable.
func (r *renderer) variable(c configmap.Container, at place, reason Reason, vars variables) {
	if v, found := vars[reason.Variable]; found {
		r.put(c, at, fact{value: v.value, once: true, keys: v.keys, reason: reason})
	}
}
