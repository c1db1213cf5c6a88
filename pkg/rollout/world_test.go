package rollout

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
)

const (
	worldNamespace = "shop"
	worldName      = "web"
)

// world is a cluster in memory with one Deployment: its objects, and what the API server and the controllers do to
// them. Objects are never changed in place, so that a view of them may lag behind.
type world struct {
	now    time.Time
	serial int64
	d      *appsv1.Deployment
	sets   []*appsv1.ReplicaSet
	pods   []*corev1.Pod
	// resized are the sizes that were written to ReplicaSets, in that order. Their controller acts on them in it too: one
	// that skipped some would make new pods before it deletes old ones, whatever the Deployment's limits are.
	resized []resized
	// broken says which pods never become ready.
	broken map[types.UID]bool
	// breaks says of a pod that is made for a ReplicaSet whether it will be one of those.
	breaks func(rs *appsv1.ReplicaSet) bool
	// shape changes a pod that is made, and stuck are those that the kubelet does nothing to.
	shape func(pod *corev1.Pod)
	stuck map[types.UID]bool
	// mutate is an admission policy for clients' writes to the Deployment.
	mutate func(d *appsv1.Deployment, dryRun bool)
	// changed is told of every change to an object, where somebody listens.
	changed func(watch.EventType, metav1.Object)
	// deleted is told of every pod that a controller deletes, before it is gone.
	deleted func(pod *corev1.Pod)
}

// resized is a size that was written to a ReplicaSet.
type resized struct {
	uid  types.UID
	size int32
}

// newWorld is a Deployment that has been complete for an hour.
func newWorld(replicas int32, settings Settings) *world {
	w := &world{now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), broken: map[types.UID]bool{}}
	labels := map[string]string{"app": worldName}
	w.d = &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Namespace: worldNamespace, Name: worldName, UID: w.uid("deployment"), Generation: 1},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "web:1"}}},
			},
			Strategy:                *settings.Strategy.DeepCopy(),
			MinReadySeconds:         settings.MinReadySeconds,
			ProgressDeadlineSeconds: settings.ProgressDeadlineSeconds,
		},
	}
	w.d.ResourceVersion = w.version()
	w.now = w.now.Add(-time.Hour)
	w.settle()
	w.now = w.now.Add(time.Hour)
	w.settle()
	return w
}

// settle lets the controllers and the kubelets do all there is to do.
func (w *world) settle() {
	for before := int64(-1); before != w.serial; {
		before = w.serial
		w.control()
		for _, pod := range w.pods {
			w.runPod(pod.UID)
		}
	}
}

// control lets the controllers do all there is to do.
func (w *world) control() {
	for before := int64(-1); before != w.serial; {
		before = w.serial
		w.syncDeployment(w.d, w.sets)
		for _, rs := range w.sets {
			for len(w.resized) > 0 {
				w.resize()
			}
			w.syncReplicaSet(rs.UID, *rs.Spec.Replicas)
		}
	}
}

func (w *world) version() string { w.serial++; return strconv.FormatInt(w.serial, 10) }

func (w *world) uid(kind string) types.UID { return types.UID(kind + "-" + w.version()) }

func (w *world) tell(event watch.EventType, object metav1.Object) {
	if w.changed != nil {
		w.changed(event, object)
	}
}

// storeDeployment is a write to the Deployment: of its status and annotations where the spec is the same.
func (w *world) storeDeployment(next *appsv1.Deployment) {
	if !apiequality.Semantic.DeepEqual(w.d.Spec, next.Spec) {
		next.Generation = w.d.Generation + 1
	}
	next.ResourceVersion = w.version()
	w.d = next
	w.tell(watch.Modified, next)
}

// changeSpec is another client's write.
func (w *world) changeSpec(change func(spec *appsv1.DeploymentSpec)) {
	next := w.d.DeepCopy()
	change(&next.Spec)
	w.storeDeployment(next)
}

func (w *world) scale(replicas int32) {
	w.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Replicas = &replicas })
}

func (w *world) set(uid types.UID) *appsv1.ReplicaSet {
	for _, rs := range w.sets {
		if rs.UID == uid {
			return rs
		}
	}
	return nil
}

// setOf is the ReplicaSet that runs an image.
func (w *world) setOf(image string) *appsv1.ReplicaSet {
	for _, rs := range w.sets {
		if imageOf(rs) == image {
			return rs
		}
	}
	return nil
}

func imageOf(rs *appsv1.ReplicaSet) string { return rs.Spec.Template.Spec.Containers[0].Image }

func (w *world) setNamed(name string) *appsv1.ReplicaSet {
	for _, rs := range w.sets {
		if rs.Name == name {
			return rs
		}
	}
	return nil
}

// storeSet is a write to a ReplicaSet; it fails where the writer's copy was not the newest.
func (w *world) storeSet(next *appsv1.ReplicaSet) (*appsv1.ReplicaSet, error) {
	for i, rs := range w.sets {
		if rs.UID != next.UID {
			continue
		}
		if rs.ResourceVersion != next.ResourceVersion {
			return nil, conflict("replicasets", next.Name)
		}
		if *rs.Spec.Replicas != *next.Spec.Replicas {
			w.resized = append(w.resized, resized{rs.UID, *next.Spec.Replicas})
		}
		next.ResourceVersion = w.version()
		w.sets = append(append(append([]*appsv1.ReplicaSet{}, w.sets[:i]...), next), w.sets[i+1:]...)
		w.tell(watch.Modified, next)
		return next, nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Group: "apps", Resource: "replicasets"}, next.Name)
}

func (w *world) addSet(rs *appsv1.ReplicaSet) {
	rs.UID, rs.ResourceVersion = w.uid("replicaset"), w.version()
	rs.CreationTimestamp = metav1.NewTime(w.now.Add(time.Duration(w.serial) * time.Microsecond))
	w.sets = append(w.sets[:len(w.sets):len(w.sets)], rs)
	w.resized = append(w.resized, resized{rs.UID, *rs.Spec.Replicas})
	w.tell(watch.Added, rs)
}

// storePod replaces a pod; a nil next removes it.
func (w *world) storePod(uid types.UID, next *corev1.Pod) {
	pods := make([]*corev1.Pod, 0, len(w.pods)+1)
	var gone *corev1.Pod
	for _, pod := range w.pods {
		switch {
		case pod.UID != uid:
			pods = append(pods, pod)
		case next != nil:
			next.ResourceVersion = w.version()
			pods = append(pods, next)
		default:
			gone = pod
		}
	}
	w.pods = pods
	if next != nil {
		w.tell(watch.Modified, next)
	} else if gone != nil {
		gone = gone.DeepCopy()
		gone.ResourceVersion = w.version()
		w.tell(watch.Deleted, gone)
	}
}

func conflict(resource, name string) error {
	return apierrors.NewConflict(schema.GroupResource{Group: "apps", Resource: resource}, name,
		fmt.Errorf("the object has been modified; please apply your changes to the latest version and try again"))
}

// patchDeployment is what the API server makes of a JSON patch.
func (w *world) patchDeployment(body []byte, dryRun bool) (*appsv1.Deployment, error) {
	document, err := json.Marshal(w.d)
	if err != nil {
		return nil, err
	}
	patch, err := jsonpatch.DecodePatch(body)
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	document, err = patch.Apply(document)
	if err != nil {
		return nil, apierrors.NewGenericServerResponse(422, "patch", schema.GroupResource{}, worldName, err.Error(), 0, false)
	}
	var next appsv1.Deployment
	if err := json.Unmarshal(document, &next); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if next.ResourceVersion != w.d.ResourceVersion {
		return nil, conflict("deployments", worldName)
	}
	if w.mutate != nil {
		w.mutate(&next, dryRun)
	}
	if err := validDeployment(&next); err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	if !dryRun {
		w.storeDeployment(&next)
	}
	return &next, nil
}

// validDeployment are those of the API server's rules that a gate could break.
func validDeployment(d *appsv1.Deployment) error {
	if deadline := d.Spec.ProgressDeadlineSeconds; deadline != nil && *deadline <= d.Spec.MinReadySeconds {
		return fmt.Errorf("progressDeadlineSeconds %d must be greater than minReadySeconds %d", *deadline, d.Spec.MinReadySeconds)
	}
	ru := d.Spec.Strategy.RollingUpdate
	if ru == nil {
		return nil
	}
	literal := func(value *intstr.IntOrString) int {
		scaled, err := intstr.GetScaledValueFromIntOrPercent(value, 100, true)
		if err != nil {
			return -1
		}
		return scaled
	}
	surge, unavailable := literal(ru.MaxSurge), literal(ru.MaxUnavailable)
	switch {
	case surge < 0 || unavailable < 0:
		return fmt.Errorf("maxSurge %s and maxUnavailable %s must not be negative", ru.MaxSurge, ru.MaxUnavailable)
	case surge == 0 && unavailable == 0:
		return fmt.Errorf("maxUnavailable may not be 0 when maxSurge is 0")
	case ru.MaxUnavailable.Type == intstr.String && unavailable > 100:
		return fmt.Errorf("maxUnavailable %s must not be greater than 100%%", ru.MaxUnavailable)
	}
	return nil
}

// settingsWith are a rolling update's with these limits.
func settingsWith(surge, unavailable intstr.IntOrString, minReadySeconds int32) Settings {
	return Settings{
		Strategy: appsv1.DeploymentStrategy{
			Type:          appsv1.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &surge, MaxUnavailable: &unavailable},
		},
		MinReadySeconds: minReadySeconds, ProgressDeadlineSeconds: ptr.To[int32](600),
	}
}

// ready counts the pods whose Ready condition is true.
func (w *world) ready() int32 {
	var count int32
	for _, pod := range w.pods {
		if podReady(pod) {
			count++
		}
	}
	return count
}

// podsOf counts the pods of a ReplicaSet, and those of them that are ready.
func (w *world) podsOf(rs *appsv1.ReplicaSet) (all, ready int32) {
	for _, pod := range w.pods {
		if owner := metav1.GetControllerOf(pod); rs != nil && owner != nil && owner.UID == rs.UID {
			all++
			if podReady(pod) {
				ready++
			}
		}
	}
	return all, ready
}

func podReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
