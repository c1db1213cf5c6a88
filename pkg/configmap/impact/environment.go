package impact

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// variable is an environment variable, with the keys of the changed object that make up its value.
type variable struct {
	value  string
	source configmap.Source
	keys   []string
}

// variables is the environment of a container.
type variables map[string]variable

// environment builds the variables as the kubelet does. First comes envFrom, where later sources win. Then comes env in its
// order, where $(VAR) sees the variables set so far. Kubelets since 1.32 take every key of envFrom, whatever its name. Older
// ones left out names that no shell accepts.
func (r *renderer) environment(c configmap.Container) variables {
	vars := variables{}
	for i := range c.EnvFrom {
		r.envFrom(c, &c.EnvFrom[i], vars)
	}
	for i := range c.Env {
		r.env(c, &c.Env[i], vars)
	}
	return vars
}

func (r *renderer) envFrom(c configmap.Container, from *corev1.EnvFromSource, vars variables) {
	object, optional, found := configmap.EnvFromObject(from)
	if !found {
		return
	}
	content, known := r.read(object)
	switch {
	case !known: // the same before and after, and better not thought to cover anything
	case content == nil && !optional:
		r.problem(c, Reason{Source: configmap.FromEnvFrom}, nil, "%s does not exist", object)
	case content == nil:
	default:
		for key, value := range content.Text {
			v := variable{value: value, source: configmap.FromEnvFrom}
			if r.touches(object) {
				v.keys = []string{key}
			}
			vars[from.Prefix+key] = v
		}
	}
}

func (r *renderer) env(c configmap.Container, env *corev1.EnvVar, vars variables) {
	object, key, optional, isKey := configmap.KeyReference(env)
	if !isKey {
		vars[env.Name] = vars.plain(env)
		return
	}
	v := variable{source: configmap.FromEnv}
	if r.touches(object) {
		v.keys = []string{key}
	}
	reason := Reason{Source: configmap.FromEnv, Variable: env.Name}
	content, known := r.read(object)
	var text string
	found := false
	if content != nil {
		text, found = content.Text[key]
	}
	switch {
	case !known:
		// An optional key that may not exist lets a variable from envFrom with the same name show through.
		if _, before := vars[env.Name]; !before || !optional {
			v.value = configmap.Opaque + object.String() + ":" + key
			vars[env.Name] = v
		}
	case found:
		v.value = text
		vars[env.Name] = v
	case optional: // as if it were not written here
	case content == nil:
		r.problem(c, reason, v.keys, "%s does not exist", object)
	case content.Has(key):
		r.problem(c, reason, v.keys, "key %s of %s is binary data, which no variable can have", key, object)
	default:
		r.problem(c, reason, v.keys, "couldn't find key %s in %s", key, object)
	}
}

// plain returns a variable with a plain value, or one from the pod itself. The latter is the same before and after.
func (vars variables) plain(env *corev1.EnvVar) variable {
	if env.Value == "" && env.ValueFrom != nil {
		return variable{value: configmap.Opaque + fmt.Sprint(env.ValueFrom), source: configmap.FromEnv}
	}
	value, used := vars.expand(env.Value)
	v := variable{value: value, source: configmap.FromEnv}
	for _, name := range used {
		v.keys = append(v.keys, vars[name].keys...)
	}
	slices.Sort(v.keys)
	v.keys = slices.Compact(v.keys)
	return v
}

// expand replaces $(NAME) by the variable's value and returns the names that the text uses. Unknown names stay as written.
func (vars variables) expand(text string) (value string, used []string) {
	value = configmap.Expand(text, func(name string) string {
		if !slices.Contains(used, name) {
			used = append(used, name)
		}
		if v, found := vars[name]; found {
			return v.value
		}
		return "$(" + name + ")"
	})
	return value, used
}
