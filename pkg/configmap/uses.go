package configmap

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Use is a ConfigMap or Secret that a pod template takes configuration from.
type Use struct {
	Head Object
	// Version is the name of the copy that the pods run with, or Absent, empty where that is not recorded.
	Version string
}

// Hash is what the version's name has of its content.
func (u *Use) Hash() string {
	_, hash, _ := SplitName(u.Version)
	return hash
}

// Uses are all that a template takes configuration from, sorted, by what is written in it alone: names of versions, or
// plain names with the annotations of in-place mode.
func Uses(template *corev1.PodTemplateSpec) []Use {
	var all []Use
	for _, r := range References(&template.Spec) {
		if !r.Configures() {
			continue
		}
		use := Use{Head: r.Object, Version: template.Annotations[RecordKey(r.Object)]}
		if head, _, is := SplitName(r.Object.Name); is && use.Version == "" {
			use = Use{Head: Object{r.Object.Kind, head}, Version: r.Object.Name}
		}
		all = append(all, use)
	}
	slices.SortFunc(all, func(a, b Use) int {
		return cmp.Or(a.Head.Compare(b.Head), cmp.Compare(a.Version, b.Version))
	})
	return slices.Compact(all)
}

// versionSuffix is what kubectl's --append-hash appends: ten characters or more of its alphabet.
var versionSuffix = regexp.MustCompile(`^[bcdfghkmt2456789]{10,}$`)

// SplitName takes the name of a version apart, if it looks like one.
func SplitName(name string) (head, hash string, is bool) {
	dash := strings.LastIndex(name, "-")
	if dash <= 0 || !versionSuffix.MatchString(name[dash+1:]) {
		return "", "", false
	}
	return name[:dash], name[dash+1:], true
}
