package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/pager"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
)

// atOnce is the highest number of objects of a kind that are read one by one. Above it, all of the kind are listed.
const atOnce = 10

type read struct {
	kind      configmap.Kind
	content   *configmap.Content
	meta      metav1.ObjectMeta
	immutable bool
}

// stored returns the object in the form that package configmap uses to check whether it is a version.
func (r *read) stored() *configmap.Stored {
	return &configmap.Stored{Kind: r.kind, Meta: &r.meta, Immutable: r.immutable, Content: r.content}
}

// content returns the object's present content.
func (r *configReader) content(ctx context.Context, object configmap.Object) (*configmap.Content, error) {
	found, err := r.get(ctx, object)
	if err != nil {
		return nil, err
	}
	return found.content, nil
}

func (r *configReader) get(ctx context.Context, object configmap.Object) (*read, error) {
	var found runtime.Object
	var err error
	if object.Kind == configmap.Secret {
		found, err = r.client.CoreV1().Secrets(r.namespace).Get(ctx, object.Name, metav1.GetOptions{})
	} else {
		found, err = r.client.CoreV1().ConfigMaps(r.namespace).Get(ctx, object.Name, metav1.GetOptions{})
	}
	if err != nil {
		return nil, r.explain(ctx, "get", object.Kind.Resource(), err)
	}
	return readOf(found), nil
}

// readOf converts a ConfigMap or Secret of a client. It returns nil for anything else.
func readOf(object any) *read {
	switch o := object.(type) {
	case *corev1.ConfigMap:
		return &read{configmap.ConfigMap, configmap.ContentOfConfigMap(o), o.ObjectMeta, ptr.Deref(o.Immutable, false)}
	case *corev1.Secret:
		return &read{configmap.Secret, configmap.ContentOfSecret(o), o.ObjectMeta, ptr.Deref(o.Immutable, false)}
	}
	return nil
}

// explain adds the name of the missing right to an error. It leaves "not found" as it is, since the API server names the
// object.
func (r *configReader) explain(ctx context.Context, verb, resource string, err error) error {
	switch {
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("the right to %s %s in namespace %q is missing: %w", verb, resource, r.namespace, err)
	}
	return err
}

// list is a resource with the call that lists it.
type list struct {
	schema.GroupResource
	call pager.ListPageFunc
}

// typed returns a list that uses a call of a typed client. The resource is given as resource.group.
func typed[L runtime.Object](resource string, call func(context.Context, metav1.ListOptions) (L, error)) list {
	return list{schema.ParseGroupResource(resource), func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return call(ctx, options)
	}}
}

// workloadLists returns the lists of all resources that run pods in the namespace.
func (r *configReader) workloadLists() []list {
	apps, batch, core := r.client.AppsV1(), r.client.BatchV1(), r.client.CoreV1()
	return []list{
		typed("deployments.apps", apps.Deployments(r.namespace).List),
		typed("statefulsets.apps", apps.StatefulSets(r.namespace).List),
		typed("daemonsets.apps", apps.DaemonSets(r.namespace).List),
		typed("replicasets.apps", apps.ReplicaSets(r.namespace).List),
		typed("cronjobs.batch", batch.CronJobs(r.namespace).List),
		typed("jobs.batch", batch.Jobs(r.namespace).List),
		typed("replicationcontrollers", core.ReplicationControllers(r.namespace).List),
		typed("pods", core.Pods(r.namespace).List),
	}
}

// workloads returns everything that runs pods in the namespace. It fails unless it can read all kinds: a missing kind would
// look as if it were not affected.
func (r *configReader) workloads(ctx context.Context) ([]impact.Workload, error) {
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
	return all, together(errs)
}

// each calls see for every object of a list. It lists in pages of 500.
func (r *configReader) each(ctx context.Context, l list, see func(runtime.Object)) error {
	all, _, err := pager.New(l.call).List(ctx, metav1.ListOptions{})
	if err != nil {
		return r.explain(ctx, "list", l.Resource, err)
	}
	return meta.EachListItem(all, func(object runtime.Object) error {
		see(object)
		return nil
	})
}

// versions returns the versions of a head that templates reference, or note as what their pods were rolled out with. A
// version that no longer exists has nil content.
func (r *configReader) versions(ctx context.Context, head configmap.Object, workloads []impact.Workload) (map[configmap.Object]*configmap.Content, error) {
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
			content, err := r.version(ctx, object)
			switch {
			case err == nil:
				versions[object] = content
			case apierrors.IsNotFound(err):
				versions[object] = nil // gone; the workload gets another one
			case !errors.Is(err, errNoVersion):
				return nil, err
			}
		}
	}
	return versions, nil
}

var errNoVersion = errors.New("it does not hold what its name says")

// version returns the content of a version. It fails if the content does not match the version's name.
func (r *configReader) version(ctx context.Context, object configmap.Object) (*configmap.Content, error) {
	found, err := r.get(ctx, object)
	if err != nil {
		return nil, err
	}
	if !found.stored().HoldsWhatItsNameSays() {
		return nil, fmt.Errorf("%s in namespace %q is no version: %w", object, r.namespace, errNoVersion)
	}
	return found.content, nil
}

// others returns objects that may cover keys of the changed one. An object that may not be read counts as covering nothing:
// one restart too many is better than one too few.
func (r *configReader) others(ctx context.Context, change *impact.Change, workloads []impact.Workload) (map[configmap.Object]*configmap.Content, error) {
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
			_, _ = fmt.Fprintf(r.errOut, "warning: %v; keys that it may cover are told as seen\n", err)
		case err != nil:
			return nil, err
		}
	}
	return others, nil
}

// readAll reads objects by name, or lists all of the kind if there are many. Objects that do not exist become nil.
func (r *configReader) readAll(ctx context.Context, kind configmap.Kind, names map[string]bool, into map[configmap.Object]*configmap.Content) error {
	if len(names) <= atOnce {
		for name := range names {
			object := configmap.Object{Kind: kind, Name: name}
			content, err := r.content(ctx, object)
			if err != nil && !apierrors.IsNotFound(err) {
				return err
			}
			into[object] = content
		}
		return nil
	}
	all := typed("configmaps", r.client.CoreV1().ConfigMaps(r.namespace).List)
	if kind == configmap.Secret {
		all = typed("secrets", r.client.CoreV1().Secrets(r.namespace).List)
	}
	existing := map[string]*configmap.Content{}
	err := r.each(ctx, all, func(object runtime.Object) {
		found := readOf(object)
		existing[found.meta.Name] = found.content
	})
	if err != nil {
		return err
	}
	for name := range names {
		into[configmap.Object{Kind: kind, Name: name}] = existing[name]
	}
	return nil
}

// kept returns the versions of one kind, without their content.
func (r *configReader) kept(ctx context.Context, kind configmap.Kind, selector string) ([]configmap.Kept, error) {
	body, err := r.client.CoreV1().RESTClient().Get().Namespace(r.namespace).Resource(kind.Resource()).
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
