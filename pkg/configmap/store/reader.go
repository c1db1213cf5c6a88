package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/pager"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/event"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
)

// atOnce is the highest number of objects of a kind that are read one by one. Above it, all of the kind are listed.
const atOnce = 10

// Reader reads from the API server what is needed to judge a change.
type Reader struct {
	Client    kubernetes.Interface
	Namespace string
	// Emit takes warnings.
	Emit event.Sink
}

// Content returns the object's present content.
func (r *Reader) Content(ctx context.Context, object configmap.Object) (*configmap.Content, error) {
	found, err := r.Get(ctx, object)
	if err != nil {
		return nil, err
	}
	return found.Content, nil
}

// Get reads an object.
func (r *Reader) Get(ctx context.Context, object configmap.Object) (*State, error) {
	var found runtime.Object
	var err error
	if object.Kind == configmap.Secret {
		found, err = r.Client.CoreV1().Secrets(r.Namespace).Get(ctx, object.Name, metav1.GetOptions{})
	} else {
		found, err = r.Client.CoreV1().ConfigMaps(r.Namespace).Get(ctx, object.Name, metav1.GetOptions{})
	}
	if err != nil {
		return nil, r.Explain(ctx, "get", object.Kind.Resource(), err)
	}
	return StateOf(found), nil
}

// Explain adds the name of the missing right to an error. It leaves "not found" as it is, since the API server names the
// object.
func (r *Reader) Explain(ctx context.Context, verb, resource string, err error) error {
	switch {
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("the right to %s %s in namespace %q is missing: %w", verb, resource, r.Namespace, err)
	}
	return err
}

// resourceList is a resource with the call that lists it.
type resourceList struct {
	schema.GroupResource
	call pager.ListPageFunc
}

// typed returns a list that uses a call of a typed client. The resource is given as resource.group.
func typed[L runtime.Object](resource string, call func(context.Context, metav1.ListOptions) (L, error)) resourceList {
	return resourceList{schema.ParseGroupResource(resource), func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return call(ctx, options)
	}}
}

// workloadLists returns the lists of all resources that run pods in the namespace.
func (r *Reader) workloadLists() []resourceList {
	apps, batch, core := r.Client.AppsV1(), r.Client.BatchV1(), r.Client.CoreV1()
	return []resourceList{
		typed("deployments.apps", apps.Deployments(r.Namespace).List),
		typed("statefulsets.apps", apps.StatefulSets(r.Namespace).List),
		typed("daemonsets.apps", apps.DaemonSets(r.Namespace).List),
		typed("replicasets.apps", apps.ReplicaSets(r.Namespace).List),
		typed("cronjobs.batch", batch.CronJobs(r.Namespace).List),
		typed("jobs.batch", batch.Jobs(r.Namespace).List),
		typed("replicationcontrollers", core.ReplicationControllers(r.Namespace).List),
		typed("pods", core.Pods(r.Namespace).List),
	}
}

// Workloads returns everything that runs pods in the namespace. It fails unless it can read all kinds: a missing kind would
// look as if it were not affected.
func (r *Reader) Workloads(ctx context.Context) ([]impact.Workload, error) {
	lists := r.workloadLists()
	found, errs := make([][]impact.Workload, len(lists)), make([]error, len(lists))
	var started impact.Started
	var group sync.WaitGroup
	var seeing sync.Mutex
	for i, l := range lists {
		group.Go(func() {
			errs[i] = r.each(ctx, l, func(object runtime.Object) {
				seeing.Lock()
				started.See(object)
				seeing.Unlock()
				if w, is := impact.WorkloadOf(object); is {
					found[i] = append(found[i], w)
				}
			})
		})
	}
	group.Wait()
	all := slices.Concat(found...)
	started.Add(all)
	return all, joined(ctx, errs)
}

// joined joins the errors of requests that were made at the same time. It keeps each text once.
func joined(ctx context.Context, failures []error) error {
	var all []error
	for _, err := range failures {
		if err != nil && !slices.ContainsFunc(all, func(other error) bool { return other.Error() == err.Error() }) {
			all = append(all, err)
		}
	}
	switch {
	case len(all) > 0 && context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case len(all) == 1:
		return all[0]
	}
	return utilerrors.NewAggregate(all)
}

// each calls see for every object of a list. It lists in pages of 500.
func (r *Reader) each(ctx context.Context, l resourceList, see func(runtime.Object)) error {
	all, _, err := pager.New(l.call).List(ctx, metav1.ListOptions{})
	if err != nil {
		return r.Explain(ctx, "list", l.Resource, err)
	}
	return meta.EachListItem(all, func(object runtime.Object) error {
		see(object)
		return nil
	})
}

// Versions returns the versions of a head that templates reference, or note as what their pods were rolled out with. A
// version that no longer exists has nil content.
func (r *Reader) Versions(ctx context.Context, head configmap.Object, workloads []impact.Workload) (map[configmap.Object]*configmap.Content, error) {
	versions, seen := map[configmap.Object]*configmap.Content{}, map[configmap.Object]bool{}
	for i := range workloads {
		named := configmap.Recorded(workloads[i].Annotations)
		for _, reference := range configmap.References(workloads[i].Spec) {
			named = append(named, reference.Object)
		}
		for _, object := range named {
			of, _, is := configmap.SplitName(object.Name)
			if object.Kind != head.Kind || !is || of != head.Name || seen[object] {
				continue
			}
			seen[object] = true
			content, err := r.Version(ctx, object)
			switch {
			case err == nil:
				versions[object] = content
			case apierrors.IsNotFound(err):
				versions[object] = nil // gone; the workload gets another one
			case !errors.Is(err, ErrNoVersion):
				return nil, err
			}
		}
	}
	return versions, nil
}

// ErrNoVersion says that an object with the name of a version is none.
var ErrNoVersion = errors.New("it does not hold what its name says")

// Version returns the content of a version. It fails if the content does not match the version's name.
func (r *Reader) Version(ctx context.Context, object configmap.Object) (*configmap.Content, error) {
	found, err := r.Get(ctx, object)
	if err != nil {
		return nil, err
	}
	if !found.Stored().HoldsWhatItsNameSays() {
		return nil, fmt.Errorf("%s in namespace %q is no version: %w", object, r.Namespace, ErrNoVersion)
	}
	return found.Content, nil
}

// others returns objects that may cover keys of the changed one. An object that may not be read counts as covering nothing:
// one restart too many is better than one too few.
func (r *Reader) others(ctx context.Context, change *impact.Change, workloads []impact.Workload) (map[configmap.Object]*configmap.Content, error) {
	needed := map[configmap.Kind]map[string]bool{configmap.ConfigMap: {}, configmap.Secret: {}}
	for i := range workloads {
		for _, object := range change.Needs(workloads[i].Spec) {
			needed[object.Kind][object.Name] = true
		}
	}
	others := map[configmap.Object]*configmap.Content{}
	for kind, names := range needed {
		err := r.readAll(ctx, kind, names, others)
		switch {
		case apierrors.IsForbidden(err):
			r.Emit.Note("warning: %v; keys that it may cover are told as seen", err)
		case err != nil:
			return nil, err
		}
	}
	return others, nil
}

// readAll reads objects by name, or lists all of the kind if there are many. Objects that do not exist become nil.
func (r *Reader) readAll(ctx context.Context, kind configmap.Kind, names map[string]bool, into map[configmap.Object]*configmap.Content) error {
	if len(names) <= atOnce {
		for name := range names {
			object := configmap.Object{Kind: kind, Name: name}
			content, err := r.Content(ctx, object)
			if err != nil && !apierrors.IsNotFound(err) {
				return err
			}
			into[object] = content
		}
		return nil
	}
	all := typed("configmaps", r.Client.CoreV1().ConfigMaps(r.Namespace).List)
	if kind == configmap.Secret {
		all = typed("secrets", r.Client.CoreV1().Secrets(r.Namespace).List)
	}
	existing := map[string]*configmap.Content{}
	err := r.each(ctx, all, func(object runtime.Object) {
		found := StateOf(object)
		existing[found.Meta.Name] = found.Content
	})
	if err != nil {
		return err
	}
	for name := range names {
		into[configmap.Object{Kind: kind, Name: name}] = existing[name]
	}
	return nil
}

// Metadata returns the versions of one kind, without their content.
func (r *Reader) Metadata(ctx context.Context, kind configmap.Kind, selector string) ([]configmap.Kept, error) {
	body, err := r.Client.CoreV1().RESTClient().Get().Namespace(r.Namespace).Resource(kind.Resource()).
		VersionedParams(&metav1.ListOptions{LabelSelector: selector}, metav1.ParameterCodec).
		SetHeader("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1").Do(ctx).Raw()
	if err != nil {
		return nil, err
	}
	var list metav1.PartialObjectMetadataList
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	var all []configmap.Kept
	for i := range list.Items {
		item := &list.Items[i]
		if head, is := configmap.HeadOf(kind, item); is {
			all = append(all, configmap.Kept{Object: configmap.Object{Kind: kind, Name: item.Name}, Head: head, Meta: item.ObjectMeta})
		}
	}
	return all, nil
}
