package configmap

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Stored is a ConfigMap or Secret as it was read.
type Stored struct {
	Kind      Kind
	Meta      metav1.Object
	Immutable bool
	Content   *Content
}

// HeadOf returns the object that a version says it is a copy of. It reads only metadata. So it also accepts a copy of an
// earlier release's version if its name looks like a hash. Version reads the content as well.
func HeadOf(kind Kind, object metav1.Object) (Object, bool) {
	annotations := object.GetAnnotations()
	head := Object{kind, annotations[HeadAnnotation]}
	name, suffix, is := SplitName(object.GetName())
	if !is || name != head.Name || object.GetLabels()[HeadLabel] != headLabel(head.Name) || !isSuffixLength(len(suffix)) {
		return Object{}, false
	}
	if sealed, has := annotations[SealAnnotation]; has && sealed != seal(head, object.GetName(), annotations[SumAnnotation]) {
		return Object{}, false
	}
	return head, true
}

func isSuffixLength(n int) bool {
	return n >= shortHash && n <= shortHash+longer*(VersionNames-1) && (n-shortHash)%longer == 0
}

// Version returns the object that s is a version of. It reports false for copies under other names, for mutable objects and for
// versions with altered content.
func (s *Stored) Version() (Object, bool) {
	head, marked := HeadOf(s.Kind, s.Meta)
	if !marked || !s.Immutable {
		return Object{}, false
	}
	sum := s.Meta.GetAnnotations()[SumAnnotation]
	if s.Kind == Secret && sum == sumWithName(s.Meta.GetName(), s.Content) || sum == s.Content.Sum() && s.hasHashOf(head) {
		return head, true
	}
	return Object{}, false
}

// HoldsWhatItsNameSays reports whether s is a version, or a copy with kubectl's hash of its content in its name.
func (s *Stored) HoldsWhatItsNameSays() bool {
	if _, is := s.Version(); is {
		return true
	}
	name, hash, is := SplitName(s.Meta.GetName())
	short, err := ShortHash(Object{s.Kind, name}, s.Content)
	return is && err == nil && strings.HasPrefix(hash, short)
}

// IsOurs reports whether an object is provably a version that this program made in this namespace.
func (s *Stored) IsOurs() bool {
	head, is := s.Version()
	if !is {
		return false
	}
	annotations := s.Meta.GetAnnotations()
	origin, has := annotations[OriginAnnotation]
	if !has {
		return s.hasHashOf(head) // one of an earlier release
	}
	return origin == seal(head, s.Meta.GetName(), annotations[SumAnnotation], s.Meta.GetNamespace())
}

// IsMarked reports whether others have added labels, annotations or finalizers to an object.
func (s *Stored) IsMarked() bool {
	own := []string{HeadLabel, HeadAnnotation, SumAnnotation, SealAnnotation, OriginAnnotation, ClaimAnnotation}
	for _, marks := range []map[string]string{s.Meta.GetLabels(), s.Meta.GetAnnotations()} {
		for key := range marks {
			if !slices.Contains(own, key) {
				return true
			}
		}
	}
	return len(s.Meta.GetFinalizers()) > 0
}

// Is reports whether an object is this version. It is not if somebody has changed its content, or if it was copied from another
// namespace.
func (v *Version) Is(s *Stored) bool {
	head, is := s.Version()
	return is && head == v.Head && s.Meta.GetName() == v.Object.Name && s.Content.Equal(v.Content) && s.IsOurs()
}

// hasHashOf reports whether the name is one that NewVersion gives to this content.
func (s *Stored) hasHashOf(head Object) bool {
	for try := range VersionNames {
		if v, err := NewVersion(head, s.Content, try); err == nil && v.Object.Name == s.Meta.GetName() {
			return true
		}
	}
	return false
}

// Holds reports whether a version holds a content, judging by the checksum in its metadata.
func (k *Kept) Holds(content *Content) bool {
	sum := k.Meta.Annotations[SumAnnotation]
	if k.Head.Kind == Secret && sum == sumWithName(k.Object.Name, content) {
		return true
	}
	return sum == content.Sum()
}

// sumWithName returns the checksum of a Secret's content under one name. Equal values under two names have different sums.
func sumWithName(name string, content *Content) string {
	return hashOf("secret", name, content.Sum())
}

// seal returns the checksum of what a version's metadata says about it.
func seal(head Object, name, sum string, namespace ...string) string {
	const enough = 32
	return hashOf(slices.Concat([]string{string(head.Kind), head.Name, name, sum}, namespace)...)[:enough]
}

func hashOf(parts ...string) string {
	sum := sha256.New()
	for _, part := range parts {
		put(sum, []byte(part))
	}
	return hex.EncodeToString(sum.Sum(nil))
}
