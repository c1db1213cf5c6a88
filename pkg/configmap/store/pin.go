package store

import (
	"context"
	"slices"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
)

// WritePin writes the versions of a pin. Their owners are the objects that will reference them. With try, it is only a server
// dry run.
func (s *Versions) WritePin(ctx context.Context, p *attach.Pin, owners []metav1.OwnerReference, try bool) error {
	if p.Versions == nil {
		p.Versions = map[configmap.Object]*configmap.Version{}
	}
	if p.Older == nil {
		p.Older = map[configmap.Object]configmap.Object{}
	}
	for head, content := range p.Contents {
		if content == nil {
			continue // the head does not exist
		}
		version, err := s.Ensure(ctx, head, content, slices.Concat(owners, p.Left[head]), try)
		if err != nil {
			return err
		}
		p.Versions[head] = version
		kept, err := s.Metadata(ctx, head.Kind, configmap.HeadSelector(head))
		if err != nil {
			return err
		}
		p.Older[version.Object] = head
		for i := range kept {
			if kept[i].Head == head {
				p.Older[kept[i].Object] = head
			}
		}
	}
	p.Claimed = s.Clock.Now().Add(ClockTolerance)
	return nil
}

// Foreseen returns the objects of a pin and their versions, as they will be after the change.
func Foreseen(p *attach.Pin) []preflight.Foreseen {
	var all []preflight.Foreseen
	for head, content := range p.Contents {
		if content == nil {
			continue
		}
		object := preflight.Foreseen{Kind: string(head.Kind), Name: head.Name, Keys: content.Keys()}
		all = append(all, object)
		if version := p.Versions[head]; version != nil {
			object.Name = version.Object.Name
			all = append(all, object)
		}
	}
	return all
}
