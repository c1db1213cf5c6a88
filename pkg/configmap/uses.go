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
	// Version is the name of the version that the pods run with, or Absent. It is empty if neither is recorded.
	Version string
}

// Hash returns the part of the version's name that stands for its content.
func (u *Use) Hash() string {
	_, hash, _ := SplitName(u.Version)
	return hash
}

// Uses returns everything that a template takes configuration from, sorted. It reads only the template: names of versions, or
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

// versionSuffix matches what kubectl's --append-hash appends: ten or more characters of its alphabet.
var versionSuffix = regexp.MustCompile(`^[bcdfghkmt2456789]{10,}$`)

// SplitName splits the name of a version. is reports whether the name looks like one.
func SplitName(name string) (head, hash string, is bool) {
	dash := strings.LastIndex(name, "-")
	if dash <= 0 || !versionSuffix.MatchString(name[dash+1:]) {
		return "", "", false
	}
	return name[:dash], name[dash+1:], true
}
