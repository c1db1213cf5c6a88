package configmap

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	kubectlhash "k8s.io/kubectl/pkg/util/hash"
)

// Metadata of a version. None of it reveals a Secret's values to people who may not read the Secret.
const (
	// HeadLabel is on every version. Its value is the name of the object, shortened if it is too long for a label.
	HeadLabel = "rollout-plus/config"
	// HeadAnnotation is the full name of the object.
	HeadAnnotation = "rollout-plus/head"
	// SumAnnotation is a sha256 of a ConfigMap's content, or of a Secret's content together with the version's name.
	SumAnnotation = "rollout-plus/sha256"
	// SealAnnotation ties the object's name, the version's name and the sum together. Versions of earlier releases have none.
	SealAnnotation = "rollout-plus/seal"
	// OriginAnnotation is the seal for the namespace in which the version was made.
	OriginAnnotation = "rollout-plus/origin"
	// ClaimAnnotation is when a command last meant to have a template reference the version.
	ClaimAnnotation = "rollout-plus/claimed"
)

// VersionNames is how many names are tried for one version.
const VersionNames = 4

// Lengths of the suffix of a version's name. shortHash is the length of kubectl's short hash. Each further name is longer by
// longer.
const (
	shortHash = 10
	longer    = 6
)

// Version is an immutable copy of what an object held at some time.
type Version struct {
	Object  Object
	Head    Object
	Content *Content
}

// Sum returns the sha256 of the whole content. Every part is preceded by its length, so that different contents never give the
// same input.
func (c *Content) Sum() string {
	sum := sha256.New()
	put(sum, []byte(c.Type))
	putCount(sum, len(c.Text))
	for _, key := range slices.Sorted(maps.Keys(c.Text)) {
		put(sum, []byte(key))
		put(sum, []byte(c.Text[key]))
	}
	putCount(sum, len(c.Binary))
	for _, key := range slices.Sorted(maps.Keys(c.Binary)) {
		put(sum, []byte(key))
		put(sum, c.Binary[key])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func put(sum hash.Hash, part []byte) {
	putCount(sum, len(part))
	_, _ = sum.Write(part) // a hash takes all
}

func putCount(sum hash.Hash, n int) {
	_, _ = fmt.Fprintf(sum, "%d:", n) // a hash takes all
}

// Equal reports whether two contents are the same.
func (c *Content) Equal(other *Content) bool {
	return c.Type == other.Type && maps.Equal(c.Text, other.Text) && maps.EqualFunc(c.Binary, other.Binary, bytes.Equal)
}

// NewVersion names the version of a content by its hash. The first name is the one that kubectl's --append-hash gives. Later
// ones are longer, for the case that something else has that name. Versions of Secrets had such names in earlier releases.
func NewVersion(head Object, content *Content, try int) (*Version, error) {
	short, err := ShortHash(head, content)
	if err != nil {
		return nil, err
	}
	return named(head, content, short+consonants(content.Sum()[:try*longer]))
}

// RandomVersion gives the version of a content a random name. Names of versions appear in pod templates and events, which many
// people can read. A hash of a Secret would let any of them check a guess at its value.
func RandomVersion(head Object, content *Content) (*Version, error) {
	random := make([]byte, shortHash/2)
	_, _ = rand.Read(random) // it never fails
	return named(head, content, consonants(hex.EncodeToString(random)))
}

func named(head Object, content *Content, suffix string) (*Version, error) {
	name := head.Name + "-" + suffix
	if len(name) > validation.DNS1123SubdomainMaxLength {
		return nil, fmt.Errorf("the name of %s is too long for its versions, which have %d characters more", head, len(name)-len(head.Name))
	}
	return &Version{Object: Object{head.Kind, name}, Head: head, Content: content}, nil
}

// ShortHash returns what kubectl's --append-hash appends to the name of an object with this content.
func ShortHash(head Object, content *Content) (string, error) {
	named := metav1.ObjectMeta{Name: head.Name}
	if head.Kind == Secret {
		return kubectlhash.SecretHash(content.Secret(named, nil))
	}
	return kubectlhash.ConfigMapHash(content.ConfigMap(named, nil))
}

// consonants replaces characters as kubectl does, to keep words out of a hash.
func consonants(hexadecimal string) string {
	return strings.NewReplacer("0", "g", "1", "h", "3", "k", "a", "m", "e", "t").Replace(hexadecimal)
}

// HeadSelector returns a selector for the versions of an object. It may also match versions of others whose shortened names are
// the same.
func HeadSelector(head Object) string { return HeadLabel + "=" + headLabel(head.Name) }

// headLabel returns an object's name in the form of a label value.
func headLabel(name string) string { return shortened(name, validation.LabelValueMaxLength) }

// shortened returns a name of at most the given length. A name that is cut off ends with a hash.
func shortened(name string, length int) string {
	if len(name) <= length {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	end := "_" + hex.EncodeToString(sum[:8])
	return name[:length-len(end)] + end
}

// Meta returns the metadata with which a version is written.
func (v *Version) Meta(namespace, claimed string) metav1.ObjectMeta {
	sum := v.Content.Sum()
	if v.Head.Kind == Secret {
		sum = sumWithName(v.Object.Name, v.Content)
	}
	return metav1.ObjectMeta{
		Name: v.Object.Name, Labels: map[string]string{HeadLabel: headLabel(v.Head.Name)},
		Annotations: map[string]string{
			HeadAnnotation: v.Head.Name, SumAnnotation: sum, ClaimAnnotation: claimed,
			SealAnnotation: seal(v.Head, v.Object.Name, sum), OriginAnnotation: seal(v.Head, v.Object.Name, sum, namespace),
		},
	}
}
