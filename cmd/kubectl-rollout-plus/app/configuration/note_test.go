package configuration

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

func deploymentsNamed(count int) []*affectedWorkload {
	var all []*affectedWorkload
	for i := range count {
		all = append(all, &affectedWorkload{workload: &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("d", i)}}})
	}
	return all
}

func TestNote(t *testing.T) {
	t.Parallel()
	object := configmap.Object{Kind: configmap.ConfigMap, Name: "web"}
	version := func(name string) *configmap.Version {
		return &configmap.Version{Object: configmap.Object{Kind: configmap.ConfigMap, Name: name}, Head: object}
	}
	c := &Changer{
		Head: &store.Live{Object: object}, out: deploymentsNamed(3),
		pin: &attach.Pin{Versions: map[configmap.Object]*configmap.Version{object: version("web-2")}},
	}
	if c.note(0) != nil {
		t.Error("there is a note without anything to go back to")
	}
	c.before = version("web-1")
	got := store.NoteOf(&rollout.Record{Note: c.note(1)})
	if got == nil || got.Head() != object || got.Before != "web-1" || got.After != "web-2" ||
		!slices.Equal(got.Done, []string{"deployment/d0"}) || !slices.Equal(got.Rest, []string{"deployment/d2"}) {
		t.Errorf("%+v", got)
	}
	for name, record := range map[string]*rollout.Record{
		"no record": nil, "no note": {}, "not of this program": {Note: json.RawMessage(`{"x":1}`)}, "broken": {Note: json.RawMessage(`{`)},
		"nothing before": {Note: json.RawMessage(`{"kind":"ConfigMap","name":"web","after":"web-2"}`)},
	} {
		if got := store.NoteOf(record); got != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestNamesOf(t *testing.T) {
	t.Parallel()
	if got := namesOf(deploymentsNamed(10)); len(got) != 10 || got[9] != "deployment/d9" {
		t.Errorf("%v", got)
	}
	if got := namesOf(deploymentsNamed(1000)); len(got) != 11 || got[10] != "990 more" {
		t.Errorf("%v", got)
	}
}
