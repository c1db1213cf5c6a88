package informer

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
)

// TestAnOptionalWatchIsGivenUpForGood whatever its reflector says while it ends.
func TestAnOptionalWatchIsGivenUpForGood(t *testing.T) {
	t.Parallel()
	s := NewObjects(clocktesting.NewFakeClock(time.Unix(0, 0)), nil)
	cancelled := false
	s.watches = []*watched{
		{objects: s, what: "deployments", synced: true, watch: permission{known: true, had: true}},
		{objects: s, what: "pods", cancel: func() { cancelled = true }},
	}
	denied := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("not yours"))
	s.Lenient()
	pods := s.watches[1]
	pods.note(&pods.watch, denied)
	if cancelled {
		t.Error("given up before it is known what is missing")
	}
	pods.note(&pods.list, denied)
	pods.note(&pods.list, context.Canceled)
	if missing := s.Missing(); !cancelled || !s.Synced() || s.Err() != nil || !s.StaleSince().IsZero() || !errors.Is(missing, denied) {
		t.Errorf("cancelled %v, synced %v, error %v, stale since %v, missing %v", cancelled, s.Synced(), s.Err(), s.StaleSince(), missing)
	}
	deployments := s.watches[0]
	deployments.watch = permission{}
	deployments.note(&deployments.list, denied)
	if s.Err() == nil {
		t.Error("the workload itself may not be watched, and nobody says so")
	}
}

// TestTheRightThatIsMissing is named alone where the other one is there, and at once where it never was.
func TestTheRightThatIsMissing(t *testing.T) {
	t.Parallel()
	denied := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("not yours"))
	for name, test := range map[string]struct {
		answers []string
		want    string
	}{
		"nothing is":                 {[]string{"watch", "list", "watch"}, ""},
		"watch, as servers do now":   {[]string{"watch no", "list"}, "the right to watch pods"},
		"watch, as servers did":      {[]string{"list", "watch no"}, "the right to watch pods"},
		"list":                       {[]string{"list no"}, "the right to list pods"},
		"list, and nobody needs it":  {[]string{"watch"}, ""},
		"both":                       {[]string{"watch no", "list no"}, "the right to list and watch pods"},
		"not known yet":              {[]string{"watch no"}, ""},
		"not known, for a bad line":  {[]string{"watch no", "list lost"}, ""},
		"lost just now":              {[]string{"watch", "watch no", "list", "watch no"}, ""},
		"lost long ago":              {[]string{"watch", "watch no", "list", "wait", "watch no", "list"}, "the right to watch pods"},
		"both lost long ago":         {[]string{"list", "watch", "watch no", "list no", "wait", "list no"}, "the right to list and watch pods"},
		"both lost just now":         {[]string{"list", "watch", "watch no", "list no"}, ""},
		"back again":                 {[]string{"watch", "watch no", "list", "wait", "watch"}, ""},
		"the list alone is lost":     {[]string{"list", "list no"}, ""},
		"lost, and lost again later": {[]string{"watch", "watch no", "list", "wait", "watch", "watch no", "list"}, ""},
	} {
		fake := clocktesting.NewFakeClock(time.Unix(0, 0))
		s := NewObjects(fake, nil)
		w := &watched{objects: s, what: "pods"}
		s.watches = []*watched{w}
		for _, answer := range test.answers {
			verb, how, _ := strings.Cut(answer, " ")
			asked := map[string]*permission{"list": &w.list, "watch": &w.watch}[verb]
			if asked == nil {
				fake.Step(2 * DeniedGrace)
				continue
			}
			w.note(asked, map[string]error{"no": denied, "lost": errors.New("connection reset")}[how])
		}
		got := ""
		if err := s.Err(); err != nil {
			got, _, _ = strings.Cut(err.Error(), " is missing: ")
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// What an object contributes to the counts decides whether its change is looked at: each kind has counts of its own.
func TestCountOf(t *testing.T) {
	t.Parallel()
	metadata := metav1.ObjectMeta{Generation: 7, OwnerReferences: []metav1.OwnerReference{{UID: "owner", Controller: ptr.To(true)}}}
	for name, test := range map[string]struct {
		object any
		want   counted
	}{
		"ReplicaSet":  {&appsv1.ReplicaSet{ObjectMeta: metadata, Spec: appsv1.ReplicaSetSpec{Replicas: ptr.To[int32](3)}}, counted{wanted: 3}},
		"Pod":         {&corev1.Pod{ObjectMeta: metadata}, counted{active: true, owner: "owner"}},
		"Deployment":  {&appsv1.Deployment{ObjectMeta: metadata}, counted{generation: 7}},
		"StatefulSet": {&appsv1.StatefulSet{ObjectMeta: metadata}, counted{generation: 7}},
		"DaemonSet":   {&appsv1.DaemonSet{ObjectMeta: metadata}, counted{generation: 7}},
		"nothing":     {nil, counted{}},
	} {
		if got := countOf(test.object); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}
