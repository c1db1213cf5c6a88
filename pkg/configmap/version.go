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

// What a version has besides its content. Of a Secret's values none of it can be read by who may not read the Secret.
const (
	// HeadLabel is on every version. Its value is the head's name, shortened where that is longer than a label's may be.
	HeadLabel = "rollout-plus/config"
	// HeadAnnotation is the head's whole name.
	HeadAnnotation = "rollout-plus/head"
	// SumAnnotation is a sha256: of a ConfigMap's content, or of a Secret's content together with the version's name.
	SumAnnotation = "rollout-plus/sha256"
	// SealAnnotation ties head, name and sum to one another. Versions of earlier releases have none.
	SealAnnotation = "rollout-plus/seal"
	// OriginAnnotation is the seal for the namespace that the version was made in.
	OriginAnnotation = "rollout-plus/origin"
	// ClaimAnnotation is when a command last meant to have a template reference the version.
	ClaimAnnotation = "rollout-plus/claimed"
)

// VersionNames is how many names are tried for one version.
const VersionNames = 4

// The lengths of what a version's name has after the head's: that of kubectl's short hash, and by how much each further name
// is longer than the one before.
const (
	shortHash = 10
	longer    = 6
)

// Version is an immutable copy of what a head held at some time.
type Version struct {
	Object  Object
	Head    Object
	Content *Content
}

// Sum is the sha256 of all that the content is. Every part goes in with its length, so that no two contents are the same
// when they are joined.
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

// Equal tells whether two contents are the same.
func (c *Content) Equal(other *Content) bool {
	return c.Type == other.Type && maps.Equal(c.Text, other.Text) && maps.EqualFunc(c.Binary, other.Binary, bytes.Equal)
}

// NewVersion names the version of a content by its hash. The first name is the one that kubectl's --append-hash gives; the
// next ones, which are needed where something else has that name, are longer. Versions of Secrets had such names in earlier
// releases.
func NewVersion(head Object, content *Content, try int) (*Version, error) {
	short, err := ShortHash(head, content)
	if err != nil {
		return nil, err
	}
	return named(head, content, short+consonants(content.Sum()[:try*longer]))
}

// RandomVersion names the version of a content by chance. Names of versions stand in pod templates and events, for many to
// read. A hash of a Secret would let any of them find out whether a guess at its value is right.
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

// ShortHash is what kubectl's --append-hash appends to the name of an object with this content.
func ShortHash(head Object, content *Content) (string, error) {
	named := metav1.ObjectMeta{Name: head.Name}
	if head.Kind == Secret {
		return kubectlhash.SecretHash(content.Secret(named, nil))
	}
	return kubectlhash.ConfigMapHash(content.ConfigMap(named, nil))
}

// consonants is kubectl's way to keep words out of a hash.
func consonants(hexadecimal string) string {
	return strings.NewReplacer("0", "g", "1", "h", "3", "k", "a", "m", "e", "t").Replace(hexadecimal)
}

// HeadSelector selects the versions of a head, and those of others whose names are the same as far as a label holds them.
func HeadSelector(head Object) string { return HeadLabel + "=" + headLabel(head.Name) }

// headLabel is a head's name as a label can have it.
func headLabel(name string) string { return shortened(name, validation.LabelValueMaxLength) }

// shortened is a name of at most this length, with a hash where that cuts something off.
func shortened(name string, length int) string {
	if len(name) <= length {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	end := "_" + hex.EncodeToString(sum[:8])
	return name[:length-len(end)] + end
}

// Meta is what a version has besides its content when it is written.
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
