package impact

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// Workload is an object that runs pods, with its pod template.
type Workload struct {
	Kind, Name string
	Spec       *corev1.PodSpec
	// Annotations are the annotations of the pod template.
	Annotations map[string]string
	// UID is the UID of the object. Pods name it as their controller's.
	UID types.UID
	// Since is when the first of the containers that run now was started. It is zero if none runs.
	Since time.Time
	// Runs are the running pods. The pod that was started first comes first.
	Runs []Run
	// Rolls says that the plugin can replace the workload's pods.
	Rolls bool
	// Finished says that no container runs any more, nor will.
	Finished bool
	// Note is what people should know about a restart of this workload.
	Note string
}

// WorkloadOf returns the workload that an object is. It reports false for an object whose controller is a workload of its own.
// An object with a controller of an unknown kind stands under the controller's name.
func WorkloadOf(object runtime.Object) (w Workload, found bool) {
	w, found = workloadOf(object)
	if of, is := object.(metav1.Object); is {
		w.UID = of.GetUID()
	}
	return w, found
}

func workloadOf(object runtime.Object) (w Workload, found bool) {
	switch o := object.(type) {
	case *appsv1.Deployment:
		w = Workload{Kind: "Deployment", Name: o.Name, Spec: &o.Spec.Template.Spec, Annotations: o.Spec.Template.Annotations, Rolls: true}
		if o.Spec.Paused {
			w.Note = "it is paused"
		}
	case *appsv1.StatefulSet:
		w = Workload{Kind: "StatefulSet", Name: o.Name, Spec: &o.Spec.Template.Spec, Annotations: o.Spec.Template.Annotations, Rolls: true}
		if w.Note = statefulSetNote(&o.Spec.UpdateStrategy); o.Annotations[openRollout] != "" {
			w.Note = inSteps
		}
	case *appsv1.DaemonSet:
		w = Workload{Kind: "DaemonSet", Name: o.Name, Spec: &o.Spec.Template.Spec, Annotations: o.Spec.Template.Annotations, Rolls: true}
		switch {
		case o.Annotations[openRollout] != "":
			w.Note = inSteps
		case o.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType:
			w.Note = onDelete
		}
	case *batchv1.CronJob:
		w = Workload{Kind: "CronJob", Name: o.Name, Spec: &o.Spec.JobTemplate.Spec.Template.Spec, Note: "its next run takes it"}
	case *batchv1.Job:
		w = Workload{Kind: "Job", Name: o.Name, Spec: &o.Spec.Template.Spec, Finished: finished(o), Note: "a Job cannot be changed"}
		return owned(w, o, true)
	case *appsv1.ReplicaSet:
		w = Workload{Kind: "ReplicaSet", Name: o.Name, Spec: &o.Spec.Template.Spec, Note: notReplaced}
		return owned(w, o, ptr.Deref(o.Spec.Replicas, 1) > 0)
	case *corev1.ReplicationController:
		w = Workload{Kind: "ReplicationController", Name: o.Name, Note: notReplaced}
		if o.Spec.Template == nil {
			return w, false
		}
		w.Spec = &o.Spec.Template.Spec
		return owned(w, o, ptr.Deref(o.Spec.Replicas, 1) > 0)
	case *corev1.Pod:
		w = Workload{Kind: "Pod", Name: o.Name, Spec: &o.Spec, Note: "nothing replaces a bare Pod"}
		w.Finished = o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed
		return owned(w, o, !w.Finished)
	default:
		return w, false
	}
	return w, true
}

const (
	// openRollout is the annotation of a workload with an open stepwise rollout.
	openRollout = "rollout-plus/rollout"
	inSteps     = "a stepwise rollout of it is open"
	onDelete    = "OnDelete: pods are replaced when somebody deletes them"
	notReplaced = "its pods are not replaced by themselves"
)

func statefulSetNote(strategy *appsv1.StatefulSetUpdateStrategy) string {
	if strategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
		return onDelete
	}
	if strategy.RollingUpdate != nil && ptr.Deref(strategy.RollingUpdate.Partition, 0) > 0 {
		return fmt.Sprintf("pods below the partition %d are not replaced", *strategy.RollingUpdate.Partition)
	}
	return ""
}

func finished(job *batchv1.Job) bool {
	return slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed)
	})
}

// owned looks at an object's controller. One of a known kind is judged itself. One of another kind is represented by what it
// owns and runs.
func owned(w Workload, object metav1.Object, runs bool) (Workload, bool) {
	owner := metav1.GetControllerOf(object)
	switch {
	case owner == nil:
		return w, true
	case slices.Contains([]string{
		"apps/v1 Deployment", "apps/v1 ReplicaSet", "apps/v1 StatefulSet", "apps/v1 DaemonSet", "batch/v1 CronJob", "batch/v1 Job",
		"v1 ReplicationController",
	}, owner.APIVersion+" "+owner.Kind), !runs:
		return w, false
	}
	w.Kind, w.Name, w.Note = owner.Kind, owner.Name, "this plugin does not restart a "+owner.Kind
	return w, true
}

// Affected is a workload that references the changed object, with its judgment.
type Affected struct {
	Kind, Name string
	Judgment
}

// Rolls reports whether the plugin can replace the pods of the workload.
func (a *Affected) Rolls() bool {
	return slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, a.Kind)
}

// Affected judges all workloads that reference the changed object, sorted by kind and name.
func (c *Change) Affected(workloads []Workload) []Affected {
	var all []Affected
	for i := range workloads {
		w := &workloads[i]
		if !c.Concerns(w.Spec) {
			continue
		}
		judged := c.judge(w)
		same := slices.IndexFunc(all, func(a Affected) bool { return a.Kind == w.Kind && a.Name == w.Name })
		switch {
		case same < 0:
			all = append(all, Affected{w.Kind, w.Name, judged})
		case judged.Verdict.rank() < all[same].Verdict.rank(): // two ReplicaSets of one owner
			all[same].Judgment = judged
		}
	}
	slices.SortFunc(all, func(a, b Affected) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return all
}

// judge judges a workload: first by its template, then by the state of the workload.
func (c *Change) judge(w *Workload) Judgment {
	if w.Finished {
		return Judgment{Verdict: None, Note: "it has finished"}
	}
	var judged Judgment
	if c.New == nil {
		judged = c.judgeGone(w)
	} else if judged = c.since(w).Judge(w.Spec); judged.Verdict == None && c.doubtful(w) {
		judged = c.doubt(w)
	}
	switch {
	case judged.Uncertain:
	case judged.Verdict == Restart && w.Rolls && c.New != nil && c.unknown(w) && c.proven(w) == nil:
		judged.Note = notRecorded
	case judged.Verdict == Restart && !w.Rolls:
		judged.Verdict, judged.Note = Unsupported, w.Note
	case judged.Verdict == Restart || judged.Verdict == Block:
		judged.Note = w.Note
	}
	return judged
}
