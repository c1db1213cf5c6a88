package configmap

import (
	"fmt"
	"slices"
)

// Proposal holds the keys to put into an object, and the keys to remove.
type Proposal struct {
	Put     *Content
	Removed []string
}

// Check returns an error if a key to remove does not exist.
func (p *Proposal) Check(object Object, content *Content, namespace string) error {
	if absent := slices.IndexFunc(p.Removed, func(key string) bool { return !content.Has(key) }); absent >= 0 {
		return fmt.Errorf("%s in namespace %q has no key %q to remove", object, namespace, p.Removed[absent])
	}
	return nil
}
