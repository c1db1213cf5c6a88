package configmap

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// opaque begins what stands for a value that is not known here, such as a field of the pod: it is the same before and
// after, and no file or variable of a template has it in its text.
const opaque = "\x00"

// lookup gives what an object holds, nil for one that does not exist; known is false for one that was not read.
type lookup func(Object) (content *Content, known bool)

// place is where a container sees something: a variable, an argument, a file.
type place struct {
	container, what, name string
}

// fact is what a container sees at a place, or the problem for which it cannot start.
type fact struct {
	value   string
	problem string
	// once is what a running container does not see again until it is started anew.
	once  bool
	order int
	// keys of the object in question that the value was made of.
	keys   []string
	reason Reason
}

// view is all that the containers of a pod see of their configuration.
type view map[place]fact

// renderer renders one pod template by the kubelet's rules.
type renderer struct {
	spec    *corev1.PodSpec
	read    lookup
	touches func(Object) bool
	// pinned tells of a version, which is immutable.
	pinned func(Object) bool
	view   view
}

// render tells what the containers of a pod see of their configuration.
func render(spec *corev1.PodSpec, read lookup, touches, pinned func(Object) bool) view {
	r := &renderer{spec: spec, read: read, touches: touches, pinned: pinned, view: view{}}
	for _, c := range containers(spec) {
		vars := r.environment(c)
		for name, v := range vars {
			r.variable(c, place{c.Name, "variable", name}, Reason{Source: v.source, Variable: name}, vars)
		}
		r.words(c, FromCommand, c.Command, vars)
		r.words(c, FromArgs, c.Args, vars)
		for i := range c.VolumeMounts {
			r.mount(c, &c.VolumeMounts[i], vars)
		}
	}
	return r.view
}

func (r *renderer) put(c container, at place, f fact) {
	f.order, f.reason.Container = c.order, c.Name
	r.view[at] = f
}

// problem is something that keeps the container from starting.
func (r *renderer) problem(c container, reason Reason, keys []string, format string, args ...any) {
	at := place{c.Name, "problem", string(reason.Source) + " " + reason.Variable + " " + reason.Path + fmt.Sprint(keys)}
	r.put(c, at, fact{problem: fmt.Sprintf(format, args...), once: true, keys: keys, reason: reason})
}

// words are a command or its arguments, told by the variables that they have in them: without one they are the same
// whatever the configuration.
func (r *renderer) words(c container, source Source, words []string, vars variables) {
	for _, word := range words {
		_, used := vars.expand(word)
		for _, name := range used {
			r.variable(c, place{c.Name, string(source), name}, Reason{Source: source, Variable: name}, vars)
		}
	}
}

// variable is a place whose text has a variable in it.
func (r *renderer) variable(c container, at place, reason Reason, vars variables) {
	if v, found := vars[reason.Variable]; found {
		r.put(c, at, fact{value: v.value, once: true, keys: v.keys, reason: reason})
	}
}
