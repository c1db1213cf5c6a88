package rollback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	clientappsv1 "k8s.io/client-go/kubernetes/typed/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/admission"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// safeClient is a client for kubectl's rollbackers. Their reads and writes go through the rollback. They use the
// command's context in place of the rollbackers' own, which never ends.
type safeClient struct {
	kubernetes.Interface
	rollback *Rollback
}

// AppsV1 returns the only part of a client that the rollbackers use.
func (c safeClient) AppsV1() clientappsv1.AppsV1Interface {
	return appsClient{AppsV1Interface: c.Interface.AppsV1(), rollback: c.rollback}
}

type appsClient struct {
	clientappsv1.AppsV1Interface
	rollback *Rollback
}

// Deployments returns the client for the Deployments of a namespace.
func (a appsClient) Deployments(namespace string) clientappsv1.DeploymentInterface {
	return deploymentClient{DeploymentInterface: a.AppsV1Interface.Deployments(namespace), rollback: a.rollback}
}

// StatefulSets returns the client for the StatefulSets of a namespace.
func (a appsClient) StatefulSets(namespace string) clientappsv1.StatefulSetInterface {
	return statefulSetClient{StatefulSetInterface: a.AppsV1Interface.StatefulSets(namespace), rollback: a.rollback}
}

// DaemonSets returns the client for the DaemonSets of a namespace.
func (a appsClient) DaemonSets(namespace string) clientappsv1.DaemonSetInterface {
	return daemonSetClient{DaemonSetInterface: a.AppsV1Interface.DaemonSets(namespace), rollback: a.rollback}
}

// ReplicaSets returns the client for the ReplicaSets of a namespace.
func (a appsClient) ReplicaSets(namespace string) clientappsv1.ReplicaSetInterface {
	return replicaSetClient{ReplicaSetInterface: a.AppsV1Interface.ReplicaSets(namespace), rollback: a.rollback}
}

// ControllerRevisions returns the client for the ControllerRevisions of a namespace.
func (a appsClient) ControllerRevisions(namespace string) clientappsv1.ControllerRevisionInterface {
	return revisionClient{ControllerRevisionInterface: a.AppsV1Interface.ControllerRevisions(namespace), rollback: a.rollback}
}

type deploymentClient struct {
	clientappsv1.DeploymentInterface
	rollback *Rollback
}

// Get reads the object that is rolled back.
func (d deploymentClient) Get(_ context.Context, name string, options metav1.GetOptions) (*appsv1.Deployment, error) {
	return readFor(d.rollback, name, options, d.DeploymentInterface.Get)
}

// Patch writes the object that is rolled back.
func (d deploymentClient) Patch(_ context.Context, name string, kind types.PatchType, body []byte, options metav1.PatchOptions,
	subresources ...string,
) (*appsv1.Deployment, error) {
	return writeFor(d.rollback, name, kind, body, options, subresources, d.DeploymentInterface.Patch)
}

type statefulSetClient struct {
	clientappsv1.StatefulSetInterface
	rollback *Rollback
}

// Get reads the object that is rolled back.
func (s statefulSetClient) Get(_ context.Context, name string, options metav1.GetOptions) (*appsv1.StatefulSet, error) {
	return readFor(s.rollback, name, options, s.StatefulSetInterface.Get)
}

// Patch writes the object that is rolled back.
func (s statefulSetClient) Patch(_ context.Context, name string, kind types.PatchType, body []byte, options metav1.PatchOptions,
	subresources ...string,
) (*appsv1.StatefulSet, error) {
	return writeFor(s.rollback, name, kind, body, options, subresources, s.StatefulSetInterface.Patch)
}

type daemonSetClient struct {
	clientappsv1.DaemonSetInterface
	rollback *Rollback
}

// Get reads the object that is rolled back.
func (d daemonSetClient) Get(_ context.Context, name string, options metav1.GetOptions) (*appsv1.DaemonSet, error) {
	return readFor(d.rollback, name, options, d.DaemonSetInterface.Get)
}

// Patch writes the object that is rolled back.
func (d daemonSetClient) Patch(_ context.Context, name string, kind types.PatchType, body []byte, options metav1.PatchOptions,
	subresources ...string,
) (*appsv1.DaemonSet, error) {
	return writeFor(d.rollback, name, kind, body, options, subresources, d.DaemonSetInterface.Patch)
}

type replicaSetClient struct {
	clientappsv1.ReplicaSetInterface
	rollback *Rollback
}

// List reads the revisions of a Deployment.
func (r replicaSetClient) List(_ context.Context, options metav1.ListOptions) (*appsv1.ReplicaSetList, error) {
	list, err := r.ReplicaSetInterface.List(r.rollback.ctx, options) //nolint:contextcheck // the rollbacker gives one without an end
	if err != nil {
		return nil, r.rollback.failed(err)
	}
	r.rollback.replicaSets = list.Items
	list.Items = withoutFailed(r.rollback, list.Items, func(rs *appsv1.ReplicaSet) int64 { return workload.RevisionOf(rs) })
	return list, r.rollback.checkRevisions(list)
}

type revisionClient struct {
	clientappsv1.ControllerRevisionInterface
	rollback *Rollback
}

// List reads the revisions of a StatefulSet or DaemonSet.
func (r revisionClient) List(_ context.Context, options metav1.ListOptions) (*appsv1.ControllerRevisionList, error) {
	list, err := r.ControllerRevisionInterface.List(r.rollback.ctx, options) //nolint:contextcheck // the rollbacker gives one without an end
	if err != nil {
		return nil, r.rollback.failed(err)
	}
	r.rollback.revisions = list.Items
	list.Items = withoutFailed(r.rollback, list.Items, func(revision *appsv1.ControllerRevision) int64 { return revision.Revision })
	return list, nil
}

// readFor reads the object of a rollback.
func readFor[T workload.Object](r *Rollback, name string, options metav1.GetOptions,
	get func(context.Context, string, metav1.GetOptions) (T, error),
) (T, error) {
	object, err := get(r.ctx, name, options)
	if err == nil {
		err = r.checkObserved(object)
	}
	return object, r.failed(err)
}

// writeFor writes the object of a rollback, and keeps the API server's answer in the rollback.
func writeFor[T workload.Object](r *Rollback, name string, kind types.PatchType, body []byte, options metav1.PatchOptions, subresources []string,
	patch func(context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string) (T, error),
) (T, error) {
	var none T
	edited, err := r.editFor(body).edit(kind, body)
	if err != nil {
		return none, r.failed(err)
	}
	r.chosen = body
	options.FieldManager = r.FieldManager
	template, err := templateOfPatch(kind, body)
	if err != nil {
		return none, r.failed(err)
	}
	write := func(kind types.PatchType, body []byte, dryRun []string) (T, error) {
		options.DryRun = dryRun
		return patch(r.ctx, name, kind, body, options, subresources...)
	}
	dryRun := options.DryRun
	// A dry run shows what an admission policy makes of the write, before anything else is written. Some webhooks take part in
	// no dry run. Other errors are ignored here, since the write itself fails with them again.
	switch tried, err := write(kind, edited, []string{metav1.DryRunAll}); {
	case apierrors.IsConflict(err):
		return none, r.failed(err)
	case err == nil:
		if err := admission.TemplateSetBack(r.live, template, tried); err != nil {
			return none, r.refuse(withEnd(err, "; nothing was written"))
		}
	}
	if r.Before != nil {
		if err := r.Before(template); err != nil {
			return none, r.refuse(err)
		}
	}
	object, err := write(kind, edited, dryRun)
	if err != nil {
		return none, r.failed(err)
	}
	if altered := admission.TemplateSetBack(r.live, template, object); altered != nil {
		return none, r.refuse(takenBack(r.live, object, altered, write))
	}
	r.answer = object
	return object, nil
}

// refuse remembers an error to be reported without the rollbacker's own words.
func (r *Rollback) refuse(err error) error {
	r.refused = err
	return r.failed(err)
}

// takenBack gives an object the pod template and annotations from before a write that was altered, unless somebody else has
// written since. It returns the error altered, with what became of the write.
func takenBack[T workload.Object](before workload.Object, written T, altered error,
	write func(types.PatchType, []byte, []string) (T, error),
) error {
	annotations := maps.Clone(before.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	body, err := json.Marshal([]map[string]any{
		{"op": "test", "path": "/metadata/uid", "value": written.GetUID()},
		{"op": "test", "path": "/metadata/generation", "value": written.GetGeneration()},
		{"op": "add", "path": "/spec/template", "value": workload.TemplateOf(before)},
		{"op": "add", "path": "/metadata/annotations", "value": annotations},
	})
	if err == nil {
		_, err = write(types.JSONPatchType, body, nil)
	}
	if err != nil {
		return withEnd(altered, fmt.Sprintf("; the write could not be taken back: %v", err))
	}
	return withEnd(altered, "; the write was taken back at once")
}

// withEnd adds what became of an altered write to its error.
func withEnd(err error, end string) error {
	if altered := (*admission.AlteredError)(nil); errors.As(err, &altered) {
		altered.After = end
	}
	return err
}
