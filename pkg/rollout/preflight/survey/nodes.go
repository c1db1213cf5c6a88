package survey

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

const (
	// mostNodePages and mostPodPages bound how many pages of mostListed are read of a cluster's nodes and pods.
	// clusterTimeout bounds how long that may take. Of a larger cluster the checks see the first pages, and report
	// that.
	mostNodePages  = 4
	mostPodPages   = 20
	clusterTimeout = 10 * time.Second
	// scheduledPods selects the pods that take resources of a node.
	scheduledPods = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
)

// nodes reads the nodes and, unless lean is set, the pods that run on them.
func (s *survey) nodes(ctx context.Context, lean bool) {
	core, in, most := s.client.CoreV1(), s.in, mostNodePages
	if lean {
		most = 1
	} else {
		in.Taken = &preflight.Taken{}
	}
	s.read("nodes", &in.Nodes.Err, func() (err error) {
		in.Nodes.More, err = pages(ctx, metav1.ListOptions{}, most, core.Nodes().List, func(list *corev1.NodeList) {
			in.Nodes.Items = append(in.Nodes.Items, list.Items...)
		})
		return err
	})
	if lean {
		return
	}
	s.read("pods of all namespaces", &in.Taken.Err, func() (err error) {
		in.Taken.More, err = pages(ctx, metav1.ListOptions{FieldSelector: scheduledPods}, mostPodPages, core.Pods(metav1.NamespaceAll).List,
			func(list *corev1.PodList) {
				for i := range list.Items {
					in.Taken.Add(&list.Items[i])
				}
			})
		return err
	})
}

// pages reads the first pages of a list, and reports whether there are more. If a later page fails, the pages before
// count.
func pages[L metav1.ListInterface](ctx context.Context, options metav1.ListOptions, most int,
	read func(context.Context, metav1.ListOptions) (L, error), take func(L),
) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, clusterTimeout)
	defer cancel()
	options.Limit = mostListed
	for page := range most {
		list, err := read(ctx, options)
		if err != nil && page > 0 {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		take(list)
		if options.Continue = list.GetContinue(); options.Continue == "" {
			return false, nil
		}
	}
	return true, nil
}
