package rollout

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// This is a model of the Deployment controller of Kubernetes v1.37: of what it writes, not of how it is built. It is
// what the gate relies on, so it says in its own words what pkg/controller/deployment does.

const maxAnnotation = "deployment.kubernetes.io/max-replicas"

// errRequeued is a sync that ends early; the controller comes back to it.
var errRequeued = errors.New("requeued")

// deploymentSync is one sync of the Deployment controller, on a view of the objects that may lag behind.
type deploymentSync struct {
	w        *world
	d        *appsv1.Deployment
	current  *appsv1.ReplicaSet
	others   []*appsv1.ReplicaSet
	surge    int32
	missing  int32
	replicas int32
}

// syncDeployment lets the controller look at its view once.
func (w *world) syncDeployment(d *appsv1.Deployment, sets []*appsv1.ReplicaSet) {
	s := &deploymentSync{w: w, d: d.DeepCopy(), replicas: *d.Spec.Replicas}
	s.surge, s.missing = fenceposts(d)
	s.sort(sets)
	if s.run() == nil {
		s.status()
	}
}

// fenceposts are maxSurge and maxUnavailable as the controller resolves them.
func fenceposts(d *appsv1.Deployment) (surge, unavailable int32) {
	ru, replicas := d.Spec.Strategy.RollingUpdate, *d.Spec.Replicas
	up, _ := intstr.GetScaledValueFromIntOrPercent(ru.MaxSurge, int(replicas), true)
	down, _ := intstr.GetScaledValueFromIntOrPercent(ru.MaxUnavailable, int(replicas), false)
	if up == 0 && down == 0 {
		down = 1
	}
	return int32(up), min(int32(down), replicas)
}

// sort separates the ReplicaSet of the Deployment's template from the others.
func (s *deploymentSync) sort(sets []*appsv1.ReplicaSet) {
	byAge := slices.Clone(sets)
	slices.SortFunc(byAge, older)
	for _, rs := range byAge {
		if s.current == nil && sameButHash(&rs.Spec.Template, &s.d.Spec.Template) {
			s.current = rs
		} else {
			s.others = append(s.others, rs)
		}
	}
}

func older(a, b *appsv1.ReplicaSet) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

func sameButHash(a, b *corev1.PodTemplateSpec) bool {
	a, b = a.DeepCopy(), b.DeepCopy()
	delete(a.Labels, "pod-template-hash")
	delete(b.Labels, "pod-template-hash")
	return apiequality.Semantic.DeepEqual(a, b)
}

func (s *deploymentSync) run() error {
	if err := s.adoptCurrent(); err != nil {
		return err
	}
	if s.d.Spec.Paused || s.scaled() {
		return s.spread()
	}
	if s.current == nil {
		if err := s.create(); err != nil {
			return err
		}
	}
	if grew, err := s.grow(); err != nil || grew {
		return err
	}
	return s.shrink()
}

// revision is one above those of all the others.
func (s *deploymentSync) revision() int64 {
	var highest int64
	for _, rs := range s.others {
		number, _ := strconv.ParseInt(rs.Annotations[workload.RevisionAnnotation], 10, 64)
		highest = max(highest, number)
	}
	return highest + 1
}

// adoptCurrent writes the Deployment's annotations, its minReadySeconds and the revision to the current ReplicaSet, and
// the revision to the Deployment. A write to the ReplicaSet makes the copy at hand an old one, so the sync ends with it.
func (s *deploymentSync) adoptCurrent() error {
	if s.current == nil {
		return nil
	}
	next := s.current.DeepCopy()
	s.annotate(next)
	next.Spec.MinReadySeconds = s.d.Spec.MinReadySeconds
	if !apiequality.Semantic.DeepEqual(next, s.current) {
		_, _ = s.w.storeSet(next)
		return errRequeued
	}
	return s.number(next.Annotations[workload.RevisionAnnotation])
}

func (s *deploymentSync) annotate(rs *appsv1.ReplicaSet) {
	if rs.Annotations == nil {
		rs.Annotations = map[string]string{}
	}
	for key, value := range s.d.Annotations {
		if key != workload.RevisionAnnotation {
			rs.Annotations[key] = value
		}
	}
	if number, _ := strconv.ParseInt(rs.Annotations[workload.RevisionAnnotation], 10, 64); number < s.revision() {
		rs.Annotations[workload.RevisionAnnotation] = strconv.FormatInt(s.revision(), 10)
	}
}

// number writes the revision to the Deployment.
func (s *deploymentSync) number(revision string) error {
	if s.d.Annotations[workload.RevisionAnnotation] == revision {
		return nil
	}
	if s.d.ResourceVersion != s.w.d.ResourceVersion {
		return errRequeued
	}
	next := s.d.DeepCopy()
	if next.Annotations == nil {
		next.Annotations = map[string]string{}
	}
	next.Annotations[workload.RevisionAnnotation] = revision
	s.w.storeDeployment(next) // s.d keeps its old resourceVersion: the status is written by a later sync
	return nil
}

// scaled tells whether replicas have changed since an active ReplicaSet was last sized.
func (s *deploymentSync) scaled() bool {
	for _, rs := range s.active() {
		desired, err := strconv.Atoi(rs.Annotations[desiredAnnotation])
		if err == nil && int32(desired) != s.replicas {
			return true
		}
	}
	return false
}

func (s *deploymentSync) all() []*appsv1.ReplicaSet {
	if s.current == nil {
		return slices.Clone(s.others)
	}
	return append(slices.Clone(s.others), s.current)
}

func (s *deploymentSync) active() []*appsv1.ReplicaSet {
	return slices.DeleteFunc(s.all(), func(rs *appsv1.ReplicaSet) bool { return *rs.Spec.Replicas == 0 })
}

// spread distributes a change of replicas over the active ReplicaSets, in proportion to their sizes.
func (s *deploymentSync) spread() error {
	active := s.active()
	switch len(active) {
	case 0:
		if s.current == nil {
			return nil
		}
		return s.resize(s.current, s.replicas, false)
	case 1:
		return s.resize(active[0], s.replicas, false)
	}
	if c := s.current; c != nil && *c.Spec.Replicas == s.replicas && c.Annotations[desiredAnnotation] == strconv.Itoa(int(s.replicas)) &&
		c.Status.AvailableReplicas == s.replicas {
		for _, rs := range active {
			if rs != c {
				if err := s.resize(rs, 0, false); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return s.proportion(active)
}

func (s *deploymentSync) proportion(active []*appsv1.ReplicaSet) error {
	var allowed, sum, added int32
	if s.replicas > 0 {
		allowed = s.replicas + s.surge
	}
	for _, rs := range active {
		sum += *rs.Spec.Replicas
	}
	toAdd := allowed - sum
	// From the largest on; of two alike the newer grows first and the older shrinks first.
	slices.SortFunc(active, func(a, b *appsv1.ReplicaSet) int {
		age := older(a, b)
		if toAdd > 0 {
			age = -age
		}
		return cmp.Or(cmp.Compare(*b.Spec.Replicas, *a.Spec.Replicas), age)
	})
	sizes := make([]int32, len(active))
	for i, rs := range active {
		share := s.share(rs)
		switch left := toAdd - added; {
		case toAdd == 0 || left == 0:
			share = 0
		case toAdd > 0:
			share = min(share, left)
		default:
			share = max(share, left)
		}
		sizes[i] = *rs.Spec.Replicas + share
		added += share
	}
	if toAdd != 0 {
		sizes[0] = max(sizes[0]+toAdd-added, 0)
	}
	for i, rs := range active {
		if err := s.resize(rs, sizes[i], true); err != nil {
			return err
		}
	}
	return nil
}

// share is by how much a ReplicaSet changes with the Deployment's most pods.
func (s *deploymentSync) share(rs *appsv1.ReplicaSet) int32 {
	size := *rs.Spec.Replicas
	if s.replicas == 0 {
		return -size
	}
	before, err := strconv.Atoi(rs.Annotations[maxAnnotation])
	if err != nil || before == 0 {
		if before = int(s.d.Status.Replicas); before == 0 {
			return 0
		}
	}
	return int32(math.Round(float64(size*(s.replicas+s.surge))/float64(before))) - size
}

// resize writes a size. Where it is forced, the annotations of the last sizing are written even if the size is the same.
func (s *deploymentSync) resize(rs *appsv1.ReplicaSet, size int32, force bool) error {
	if !force && *rs.Spec.Replicas == size {
		return nil
	}
	next := rs.DeepCopy()
	next.Spec.Replicas = &size
	s.sized(next)
	if apiequality.Semantic.DeepEqual(next, rs) {
		return nil
	}
	stored, err := s.w.storeSet(next)
	if err != nil {
		return errRequeued
	}
	if rs == s.current {
		s.current = stored
	}
	if i := slices.Index(s.others, rs); i >= 0 {
		s.others[i] = stored
	}
	return nil
}

func (s *deploymentSync) sized(rs *appsv1.ReplicaSet) {
	rs.Annotations[desiredAnnotation] = strconv.Itoa(int(s.replicas))
	rs.Annotations[maxAnnotation] = strconv.Itoa(int(s.replicas + s.surge))
}

// create makes the ReplicaSet of a new template.
func (s *deploymentSync) create() error {
	for _, rs := range s.w.sets {
		if sameButHash(&rs.Spec.Template, &s.d.Spec.Template) {
			return errRequeued // there is one already, which the view does not show yet
		}
	}
	template := s.d.Spec.Template.DeepCopy()
	hash := strconv.FormatInt(s.w.serial, 10)
	template.Labels["pod-template-hash"] = hash
	rs := &appsv1.ReplicaSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "ReplicaSet"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.d.Namespace, Name: s.d.Name + "-" + hash, Labels: template.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(s.d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
		},
		Spec: appsv1.ReplicaSetSpec{MinReadySeconds: s.d.Spec.MinReadySeconds, Template: *template, Replicas: new(int32)},
	}
	*rs.Spec.Replicas = s.wantedOfCurrent(0)
	s.annotate(rs)
	s.sized(rs)
	s.w.addSet(rs)
	s.current = rs
	return s.number(rs.Annotations[workload.RevisionAnnotation])
}

// wantedOfCurrent is the size up to which the current ReplicaSet may grow from this one.
func (s *deploymentSync) wantedOfCurrent(size int32) int32 {
	sum := size
	for _, rs := range s.others {
		sum += *rs.Spec.Replicas
	}
	if room := s.replicas + s.surge - sum; room > 0 {
		return size + min(room, s.replicas-size)
	}
	return size
}

func (s *deploymentSync) grow() (bool, error) {
	size := *s.current.Spec.Replicas
	wanted := size
	switch {
	case size > s.replicas:
		wanted = s.replicas
	case size < s.replicas:
		wanted = s.wantedOfCurrent(size)
	}
	return wanted != size, s.resize(s.current, wanted, false)
}

// shrink removes pods of the others: first those that are not available, then as many as are above the floor.
func (s *deploymentSync) shrink() error {
	var old, available int32
	for _, rs := range s.others {
		old += *rs.Spec.Replicas
		available += rs.Status.AvailableReplicas
	}
	available += s.current.Status.AvailableReplicas
	floor := s.replicas - s.missing
	room := old + s.current.Status.AvailableReplicas - floor
	if old == 0 || room <= 0 {
		return nil
	}
	var removed int32
	for _, rs := range slices.Clone(s.others) {
		size := *rs.Spec.Replicas
		unhealthy := size - rs.Status.AvailableReplicas
		if size == 0 || unhealthy == 0 || removed >= room {
			continue
		}
		if unhealthy < 0 {
			return nil // the status lags behind the size: the controller refuses to go on
		}
		count := min(room-removed, unhealthy)
		if err := s.resize(rs, size-count, false); err != nil {
			return nil //nolint:nilerr // the controller ends this part, and writes the status all the same
		}
		removed += count
	}
	excess := available - floor
	for _, rs := range slices.Clone(s.others) {
		size := *rs.Spec.Replicas
		if size == 0 || excess <= 0 {
			continue
		}
		count := min(size, excess)
		if err := s.resize(rs, size-count, false); err != nil {
			return nil //nolint:nilerr // as above
		}
		excess -= count
	}
	return nil
}

// status writes what the ReplicaSets report.
func (s *deploymentSync) status() {
	next := s.d.DeepCopy()
	status := appsv1.DeploymentStatus{ObservedGeneration: s.d.Generation}
	for _, rs := range s.all() {
		status.Replicas += rs.Status.Replicas
		status.ReadyReplicas += rs.Status.ReadyReplicas
		status.AvailableReplicas += rs.Status.AvailableReplicas
	}
	if s.current != nil {
		status.UpdatedReplicas = s.current.Status.Replicas
	}
	next.Status = status
	if s.d.ResourceVersion == s.w.d.ResourceVersion && !apiequality.Semantic.DeepEqual(status, s.d.Status) {
		s.w.storeDeployment(next)
	}
}
