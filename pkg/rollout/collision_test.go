package rollout

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/fieldmanager"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// A ReplicaSet that is stored with another template is one that its controller does not find again. A collision that is over,
// and a ReplicaSet that has yet to come, are no such case.
func TestCollides(t *testing.T) {
	t.Parallel()
	template := func(tolerations ...corev1.Toleration) corev1.PodTemplateSpec {
		containers := []corev1.Container{{Name: "app", Image: "web:2"}}
		return corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: containers, Tolerations: tolerations}}
	}
	changed := template(corev1.Toleration{Key: "spot"})
	written := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		count    *int32
		made     int
		template corev1.PodTemplateSpec
		after    time.Duration
		want     bool
	}{
		"changed":        {new(int32(1)), 2, changed, time.Second, true},
		"at once":        {new(int32(1)), 2, changed, 0, true},
		"made before":    {new(int32(1)), 9, changed, -time.Second, false},
		"no collision":   {nil, 2, changed, time.Second, false},
		"made once":      {new(int32(1)), 1, changed, time.Second, false},
		"as it is to be": {new(int32(1)), 2, template(), time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Template: template()}}
			d.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl-set", Time: &metav1.Time{Time: written}}}
			d.Status.CollisionCount = c.count
			s := &Snapshot{Workload: d}
			for range c.made {
				s.ReplicaSets = append(s.ReplicaSets, &appsv1.ReplicaSet{
					ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.Time{Time: written.Add(c.after)}},
					Spec:       appsv1.ReplicaSetSpec{Template: c.template},
				})
			}
			got := s.collides()
			if (got != nil) != c.want {
				t.Fatalf("got %v", got)
			}
			if got != nil && !strings.Contains(got.Message, "spec.template.spec.tolerations") {
				t.Errorf("it does not say what differs: %s", got.Message)
			}
		})
	}
}

func TestRevisionCollides(t *testing.T) {
	t.Parallel()
	set := &appsv1.StatefulSet{}
	set.Spec.Template.Spec.Containers = []corev1.Container{{Name: "app", Image: "db:2"}}
	revision := func(image string) *appsv1.ControllerRevision {
		data := `{"spec":{"template":{"$patch":"replace","spec":{"containers":[{"name":"app","image":"` + image + `"}]}}}}`
		return &appsv1.ControllerRevision{Data: runtime.RawExtension{Raw: []byte(data)}}
	}
	if got := revisionCollides(set, revision("db:3")); got != nil {
		t.Errorf("without a collision: %v", got)
	}
	set.Status.CollisionCount = new(int32(3))
	if got := revisionCollides(set, revision("db:3")); got == nil || !strings.Contains(got.Message, "3 collisions by now") {
		t.Errorf("got %v", got)
	}
	if got := revisionCollides(set, revision("db:2")); got != nil {
		t.Errorf("with the right template: %v", got)
	}
}

func TestUnobservedSince(t *testing.T) {
	t.Parallel()
	written := time.Unix(1000, 0)
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Generation: 2, ManagedFields: []metav1.ManagedFieldsEntry{
		{Manager: "kubectl-set", Time: &metav1.Time{Time: written}},
		{Manager: "kubelet", Subresource: "status", Time: &metav1.Time{Time: written.Add(time.Hour)}},
		{Manager: fieldmanager.ControllerManager, Time: &metav1.Time{Time: written.Add(time.Hour)}},
	}}}
	if got := unobservedSince(d); !got.Equal(written) {
		t.Errorf("got %s", got)
	}
	scaled := written.Add(time.Minute)
	d.ManagedFields = append(d.ManagedFields, metav1.ManagedFieldsEntry{Manager: fieldmanager.ControllerManager, Subresource: "scale", Time: &metav1.Time{Time: scaled}})
	if got := unobservedSince(d); !got.Equal(scaled) {
		t.Errorf("scaled: got %s", got)
	}
	d.Status.ObservedGeneration = 2
	if got := unobservedSince(d); !got.IsZero() {
		t.Errorf("what is observed: %s", got)
	}
}

// A change is as old as the look that brought it, even where the field managers tell of older ones only.
func TestAttentionFollowsChanges(t *testing.T) {
	t.Parallel()
	created := time.Unix(1000, 0)
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Generation: 1, CreationTimestamp: metav1.Time{Time: created}}}
	var a attention
	looks := []struct {
		at                   int
		generation, observed int64
		since                int // seconds after the creation, 0 for none
	}{
		{100, 1, 1, 0},
		{200, 2, 1, 200},
		{204, 3, 1, 200}, // another change, with the first one not acted on
		{210, 4, 3, 210}, // it acts, if late
		{211, 4, 4, 0},
	}
	for _, look := range looks {
		d.Generation, d.Status.ObservedGeneration = look.generation, look.observed
		a = a.follow(d, created.Add(time.Duration(look.at)*time.Second))
		want := time.Time{}
		if look.since > 0 {
			want = created.Add(time.Duration(look.since) * time.Second)
		}
		if !a.since.Equal(want) {
			t.Errorf("at %d s: unobserved since %s, want %s", look.at, a.since, want)
		}
	}
	d.Generation = 5
	first := (attention{}).follow(d, created.Add(time.Hour))
	if !first.since.Equal(created) || !first.certain.Equal(created.Add(time.Hour+certainAfter)) {
		t.Errorf("the first look trusts the field managers, after a moment: %+v", first)
	}
	if next := first.follow(d, created.Add(time.Hour+time.Second)); next != first {
		t.Errorf("the next look: got %+v, want %+v", next, first)
	}
}

// A controller that does not act is named by whoever waits for it.
func TestAControllerThatDoesNotAct(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.change(func() {
			b.away = true
			b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.Template.Spec.Containers[0].Image = "web:2" })
			b.d.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl-set", Time: &metav1.Time{Time: time.Now()}}}
		})
		began := time.Now()
		var told *Finding
		b.seen = func(event Event) {
			if e, is := event.(FindingEvent); is && told == nil {
				told = e.Finding
				b.change(func() { b.away = false })
				if took := time.Since(began); took > 6*time.Second {
					t.Errorf("it took %s", took)
				}
			}
		}
		d, err := b.engine.Deployment(t.Context(), worldKey)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.engine.Follow(t.Context(), d, nil, func(v *View) (bool, error) { return v.Phase == workload.Complete, nil }); err != nil {
			t.Fatal(err)
		}
		if told == nil || told.ID != "ControllerSilent" {
			t.Errorf("told %v", told)
		}
	})
}

// What others left of a rollout that they ended does not keep the next one from beginning.
func TestStartAfterOthersEndedARollout(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.onStep(2, func() {
			b.change(func() {
				b.changeSpec(func(spec *appsv1.DeploymentSpec) { spec.MinReadySeconds = 0 })
			})
		})
		result := b.start(t.Context(), t)
		wantOutcome(t, result, Overtaken, "the strategy is the Deployment's own again")
		<-time.After(time.Minute)
		change := Change{Images: []podtemplate.ImageChange{{Image: "web:3"}}}
		result, err := b.engine.Start(t.Context(), "Deployment", worldKey, change, inSteps)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcome(t, result, Done, "")
		want := result.Record.Original
		if want.MinReadySeconds != 0 || *want.ProgressDeadlineSeconds == GateProgressDeadlineSeconds {
			t.Errorf("it began from %+v", want)
		}
		b.wantLeft(t, "web:3", want)
	})
}
