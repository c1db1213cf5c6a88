package configmap

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// holderOf is a holder of the object of this name.
func holderOf(uid types.UID, workload bool, name string) Holder {
	return NewHolder(metav1.OwnerReference{UID: uid}, workload, mounting(name))
}

// holderNoting is a revision of this name that has annotations, too.
func holderNoting(uid types.UID, annotations map[string]string, name string) Holder {
	template := mounting(name)
	template.Annotations = annotations
	return NewHolder(metav1.OwnerReference{UID: uid}, false, template)
}

// mounting is a template with files of the object of this name.
func mounting(name string) *corev1.PodTemplateSpec {
	template := &corev1.PodTemplateSpec{}
	if name != "" {
		template.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}},
		}}}
	}
	return template
}

// newest is a revision that its workload has not left.
func newest(h Holder) Holder {
	h.Newest = true
	return h
}

func TestKeep(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const long, just = 2 * Grace, time.Second
	note := map[string]string{RecordKey(Object{ConfigMap, "web"}): "web-1"}
	inPlace, stale := holderNoting("rs1", note, "web"), holderNoting("rs1", note, "web-2")
	for name, c := range map[string]struct {
		owners   []types.UID
		age      time.Duration
		holders  []Holder
		released types.UID
		want     []types.UID
		unneeded bool
	}{
		"new":                         {nil, just, []Holder{holderOf("d", true, "web-1")}, "", []types.UID{"d"}, false},
		"a ReplicaSet joins":          {[]types.UID{"d"}, just, []Holder{holderOf("d", true, "web-1"), holderOf("rs1", false, "web-1")}, "", []types.UID{"d", "rs1"}, false},
		"nothing to do":               {[]types.UID{"d", "rs1"}, long, []Holder{holderOf("d", true, "web-1"), holderOf("rs1", false, "web-1")}, "", nil, false},
		"the workload goes on":        {[]types.UID{"d", "rs1"}, long, []Holder{holderOf("d", true, "web-2"), holderOf("rs1", false, "web-1")}, "", []types.UID{"rs1"}, false},
		"in grace it stays":           {[]types.UID{"d", "rs1"}, just, []Holder{holderOf("d", true, "web-2"), holderOf("rs1", false, "web-1")}, "", nil, false},
		"released":                    {[]types.UID{"d", "rs1"}, just, []Holder{holderOf("d", true, "web-2"), holderOf("rs1", false, "web-1")}, "d", []types.UID{"rs1"}, false},
		"others' owners stay":         {[]types.UID{"x", "d"}, long, []Holder{holderOf("d", true, "web-2"), holderOf("rs1", false, "web-1")}, "", []types.UID{"x", "rs1"}, false},
		"two share it":                {[]types.UID{"d", "rs1"}, long, []Holder{holderOf("d", true, "web-2"), holderOf("rs1", false, "web-1"), holderOf("e", true, "web-1")}, "", []types.UID{"rs1", "e"}, false},
		"nobody needs it":             {nil, long, []Holder{holderOf("d", true, "web-2")}, "", nil, true},
		"nobody needs it yet":         {nil, just, []Holder{holderOf("d", true, "web-2")}, "", nil, false},
		"an owner that needs it not":  {[]types.UID{"d"}, long, []Holder{holderOf("d", true, "")}, "", nil, true},
		"an owner that may need it":   {[]types.UID{"d"}, just, []Holder{holderOf("d", true, "")}, "", nil, false},
		"held by a pod only":          {nil, long, []Holder{holderOf("", false, "web-1")}, "", nil, false},
		"left with the plain name":    {[]types.UID{"rs1"}, long, []Holder{holderOf("d", true, "web-2"), holderOf("rs1", false, "web")}, "", nil, false},
		"left, and named by nobody":   {[]types.UID{"rs1"}, long, []Holder{holderOf("rs1", false, "")}, "", nil, false},
		"left, and another's":         {[]types.UID{"x"}, long, []Holder{holderOf("rs1", false, "")}, "", nil, false},
		"others own it, too":          {[]types.UID{"x", "d"}, long, []Holder{holderOf("d", true, "")}, "", []types.UID{"x"}, false},
		"a workload leaves nothing":   {[]types.UID{"d"}, long, []Holder{holderOf("d", true, "web")}, "", nil, true},
		"a pod leaves nothing":        {nil, long, []Holder{holderOf("", false, "web")}, "", nil, true},
		"what pods started with":      {[]types.UID{"rs1"}, long, []Holder{holderOf("d", true, "web"), newest(holderOf("rs1", false, "web"))}, "", nil, false},
		"gone back to, and edited":    {[]types.UID{"rs1"}, long, []Holder{newest(holderOf("rs1", false, "web-2"))}, "", nil, false},
		"named in an annotation only": {nil, long, []Holder{inPlace}, "", []types.UID{"rs1"}, false},
		"noted, and named no more":    {nil, long, []Holder{stale}, "", nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := &Kept{Object: Object{ConfigMap, "web-1"}, Head: Object{ConfigMap, "web"}}
			kept.Meta.CreationTimestamp = metav1.NewTime(now.Add(-c.age))
			for _, uid := range c.owners {
				kept.Meta.OwnerReferences = append(kept.Meta.OwnerReferences, metav1.OwnerReference{UID: uid})
			}
			got := kept.Keep(c.holders, Settled{Workloads: map[types.UID]bool{c.released: true}}, now)
			var uids []types.UID
			for _, owner := range got.Owners {
				uids = append(uids, owner.UID)
			}
			if !slices.Equal(uids, c.want) || got.Unneeded != c.unneeded {
				t.Errorf("owners %v, unneeded %v; not %v, %v", uids, got.Unneeded, c.want, c.unneeded)
			}
		})
	}
	undone := &Kept{Object: Object{ConfigMap, "web-1"}, Head: Object{ConfigMap, "web"}, Meta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(now)}}
	if !undone.Keep(nil, Settled{Versions: map[Object]time.Time{undone.Object: now}}, now).Unneeded {
		t.Error("one that is not to be is kept")
	}
	if undone.Keep(nil, Settled{Versions: map[Object]time.Time{undone.Object: now.Add(-just)}}, now).Unneeded {
		t.Error("one that another command has claimed since is thought to be needed by nobody")
	}
	owned := *undone
	owned.Meta.OwnerReferences = []metav1.OwnerReference{{UID: "rs1"}}
	if !owned.Keep([]Holder{newest(holderOf("rs1", false, "web"))}, Settled{Versions: map[Object]time.Time{undone.Object: now}}, now).Unneeded {
		t.Error("what was kept for a revision stays that was not left after all")
	}
	owned.Meta.OwnerReferences = append(owned.Meta.OwnerReferences, metav1.OwnerReference{UID: "rs2"})
	some := []Holder{newest(holderOf("rs1", false, "web")), holderOf("rs2", false, "web")}
	if got := owned.Keep(some, Settled{Versions: map[Object]time.Time{undone.Object: now}}, now).Owners; len(got) != 1 || got[0].UID != "rs2" {
		t.Errorf("what was left by another revision than the present one is owned by %v", got)
	}
	remembering := holderOf("d", true, "web-2")
	remembering.Add(undone.Object)
	if undone.Keep([]Holder{remembering}, Settled{Versions: map[Object]time.Time{undone.Object: now}}, now).Unneeded {
		t.Error("one that a rollout remembers is thought to be needed by nobody")
	}
	reused := &Kept{Meta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(now.Add(-long)), Annotations: map[string]string{
		ClaimAnnotation: now.Add(-just).Format(time.RFC3339),
	}}}
	if reused.Keep(nil, Settled{}, now).Unneeded {
		t.Error("one that a command has just claimed is thought to be needed by nobody")
	}
}
