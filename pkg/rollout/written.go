package rollout

import (
	"maps"
	"reflect"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
)

// Written gives a pod template as people write it: without what the API server fills in and without the labels that the
// controllers add. A field that has its default's value goes, whoever set it, since it means nothing more. Everything
// else stays, fields that this client does not know included. The argument is not changed.
func Written(template map[string]any) map[string]any {
	written, _ := copyJSON(template).(map[string]any)
	if written == nil {
		return map[string]any{}
	}
	for _, label := range []string{appsv1.DefaultDeploymentUniqueLabelKey, appsv1.ControllerRevisionHashLabelKey} {
		drop(written, "metadata.labels", label, nil)
	}
	for _, emptied := range [][2]string{{"metadata", "labels"}, {"metadata", "annotations"}} {
		drop(written, emptied[0], emptied[1], noValues{})
	}
	// These follow from other fields, which the defaults must not have taken away before.
	for _, spec := range nodesAt(written, "spec") {
		dropHostPorts(spec)
		if account, found := spec["serviceAccount"]; found && reflect.DeepEqual(account, spec["serviceAccountName"]) {
			delete(spec, "serviceAccount")
		}
	}
	dropPullPolicies(written)
	for _, known := range templateDefaults() {
		drop(written, known.of, known.field, known.value)
	}
	return written
}

// drop removes a field of every object at a path, where it has this value; nil stands for any value, noValues for a map,
// a list or nothing that holds none.
func drop(root map[string]any, path, field string, value any) {
	for _, node := range nodesAt(root, path) {
		has, found := node[field]
		if found && isDefault(has, value) {
			delete(node, field)
		}
	}
}

func isDefault(has, value any) bool {
	switch want := value.(type) {
	case nil:
		return true
	case noValues:
		switch of := has.(type) {
		case map[string]any:
			return len(of) == 0
		case []any:
			return len(of) == 0
		}
		return has == nil
	case int:
		number := reflect.ValueOf(has)
		return number.CanInt() && number.Int() == int64(want) || number.CanFloat() && number.Float() == float64(want)
	}
	return has == value
}

// nodesAt are the objects at a path such as spec.containers[].ports[]; [] stands for every entry of a list.
func nodesAt(root map[string]any, path string) []map[string]any {
	nodes := []map[string]any{root}
	for part := range strings.SplitSeq(path, ".") {
		if part == "" {
			continue
		}
		field, isList := strings.CutSuffix(part, "[]")
		var next []map[string]any
		for _, node := range nodes {
			entries, _ := node[field].([]any)
			if !isList {
				entries = []any{node[field]}
			}
			for _, entry := range entries {
				if object, ok := entry.(map[string]any); ok {
					next = append(next, object)
				}
			}
		}
		nodes = next
	}
	return nodes
}

// copyJSON copies maps and lists all the way down. That of apimachinery panics where a number has another type than it expects.
func copyJSON(value any) any {
	switch of := value.(type) {
	case map[string]any:
		copied := maps.Clone(of)
		for key, inner := range of {
			copied[key] = copyJSON(inner)
		}
		return copied
	case []any:
		copied := make([]any, len(of))
		for i, inner := range of {
			copied[i] = copyJSON(inner)
		}
		return copied
	}
	return value
}

// dropHostPorts removes host ports that follow from the host's network: there they are the containers' own.
func dropHostPorts(spec map[string]any) {
	if spec["hostNetwork"] != true {
		return
	}
	for _, list := range containerLists() {
		for _, port := range nodesAt(spec, list+".ports[]") {
			if number, found := port["hostPort"]; found && reflect.DeepEqual(number, port["containerPort"]) {
				delete(port, "hostPort")
			}
		}
	}
}

// dropPullPolicies removes the policies that follow from the images' tags.
func dropPullPolicies(template map[string]any) {
	for _, list := range containerLists() {
		for _, container := range nodesAt(template, "spec."+list) {
			dropPullPolicy(container, "image", "imagePullPolicy")
		}
	}
	for _, image := range nodesAt(template, "spec.volumes[].image") {
		dropPullPolicy(image, "reference", "pullPolicy")
	}
}

func dropPullPolicy(of map[string]any, reference, policy string) {
	if image, ok := of[reference].(string); ok && of[policy] == defaultPullPolicy(image) {
		delete(of, policy)
	}
}

// defaultPullPolicy is Always for images of the tag latest, which those without tag and digest have too.
func defaultPullPolicy(image string) string {
	named, _, digested := strings.Cut(image, "@")
	// A colon before the last slash comes with a registry's port.
	_, tag, tagged := strings.Cut(named[strings.LastIndex(named, "/")+1:], ":")
	if tag == "latest" || !tagged && !digested {
		return "Always"
	}
	return "IfNotPresent"
}
