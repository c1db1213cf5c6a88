package podtemplate

import (
	"maps"
	"reflect"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
)

// Written returns a pod template as people write it: without the values that the API server fills in, and without the
// labels that the controllers add. A field with its default value is dropped, whoever set it, since it means nothing
// more. Everything else stays, including fields that this client does not know. The argument is not changed.
func Written(template map[string]any) map[string]any {
	written, _ := CopyJSON(template).(map[string]any)
	if written == nil {
		return map[string]any{}
	}
	for _, label := range []string{appsv1.DefaultDeploymentUniqueLabelKey, appsv1.ControllerRevisionHashLabelKey} {
		drop(written, "metadata.labels", label, nil)
	}
	for _, emptied := range [][2]string{{"metadata", "labels"}, {"metadata", "annotations"}} {
		drop(written, emptied[0], emptied[1], noValues{})
	}
	// These values follow from other fields, so that they have to go before those fields are dropped as defaults.
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

// drop removes a field with the given value from every object at a path. nil stands for any value. noValues stands for
// an empty map, an empty list, or null.
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

// nodesAt returns the objects at a path such as spec.containers[].ports[]. [] stands for every entry of a list.
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

// CopyJSON copies maps and lists at all levels. The one of apimachinery panics at numbers of types that it does not
// expect.
func CopyJSON(value any) any {
	switch of := value.(type) {
	case map[string]any:
		copied := maps.Clone(of)
		for key, inner := range of {
			copied[key] = CopyJSON(inner)
		}
		return copied
	case []any:
		copied := make([]any, len(of))
		for i, inner := range of {
			copied[i] = CopyJSON(inner)
		}
		return copied
	}
	return value
}

// dropHostPorts removes host ports that follow from the host's network. With it, each one equals the container's port.
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

// dropPullPolicies removes the pull policies that follow from the images' tags.
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

// defaultPullPolicy returns Always for images with the tag latest, and for those with neither tag nor digest. It
// returns IfNotPresent for all others.
func defaultPullPolicy(image string) string {
	named, _, digested := strings.Cut(image, "@")
	// A colon before the last slash belongs to a registry's port.
	_, tag, tagged := strings.Cut(named[strings.LastIndex(named, "/")+1:], ":")
	if tag == "latest" || !tagged && !digested {
		return "Always"
	}
	return "IfNotPresent"
}
