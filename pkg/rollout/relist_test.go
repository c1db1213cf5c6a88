package rollout

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"
)

// heldBackWarnings returns what was told of watches that bring nothing.
func (b *bench) heldBackWarnings() []string {
	var told []string
	for _, event := range b.events {
		if e, is := event.(ProgressEvent); is && strings.Contains(e.Message, "hold watch data back") {
			told = append(told, e.Message)
		}
	}
	return told
}

// A proxy brings what a watch has brought when the watch ends, and not before.
func TestARolloutBehindAProxyThatHoldsWatchesBack(t *testing.T) {
	for name, resource := range map[string]string{"all": "", "the workload": "deployments", "pods": "pods", "ReplicaSets": "replicasets"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.change(func() { b.heldBack = func(of string) bool { return resource == "" || of == resource } })
				release := time.AfterFunc(90*time.Second, func() { b.change(func() { b.cutStreams("", nil) }) }) // brings old news
				defer release.Stop()
				began := time.Now()
				result := b.start(t.Context(), t)
				wantOutcome(t, result, Done, "")
				if took := time.Since(began); took > 2*time.Minute {
					t.Errorf("it took %s", took)
				}
				if told := b.heldBackWarnings(); len(told) != 1 || resource != "" && !strings.Contains(told[0], resource) {
					t.Errorf("told %q", told)
				}
				b.wantWhole(t, "web:2")
			})
		})
	}
}

// What a watch brings late does not undo what is known already.
func TestWhatComesLateIsDropped(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.change(func() { b.heldBack = func(string) bool { return true } })
		client, err := b.client()
		if err != nil {
			t.Fatal(err)
		}
		s, err := newSource(client, b.engine.Clock, b.d, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Start(t.Context())
		defer s.Close()
		if err := s.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.change(func() {
			b.d.Labels = map[string]string{"seen": "yes"}
			b.d.ResourceVersion = b.version()
			b.send(watch.Modified, b.d.DeepCopy())
			pod := b.pods[0]
			b.pods = b.pods[1:]
			pod.ResourceVersion = b.version()
			b.away = true
			b.send(watch.Deleted, pod)
		})
		<-time.After(10 * time.Second)
		seen := func(when string) {
			t.Helper()
			if s.workload().GetLabels()["seen"] != "yes" || len(s.pods()) != 3 {
				t.Errorf("%s: labels %v, %d pods", when, s.workload().GetLabels(), len(s.pods()))
			}
		}
		seen("before the watches end")
		b.change(func() { b.cutStreams("", nil) })
		<-time.After(100 * time.Millisecond)
		seen("after the watches have ended")
	})
}

// A watch that works is hardly looked beside, however quiet it is.
func TestAQuietWatchCostsLittle(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		lists := map[string]int{}
		b.change(func() {
			b.refuse = func(request *http.Request) error {
				if request.URL.Query().Get("watch") == "" {
					parts := strings.Split(request.URL.Path, "/")
					lists[parts[len(parts)-1]]++
				}
				return nil
			}
		})
		client, err := b.client()
		if err != nil {
			t.Fatal(err)
		}
		s, err := newSource(client, b.engine.Clock, b.d, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Start(t.Context())
		defer s.Close()
		for range 10 {
			<-time.After(time.Minute)
			b.change(func() {
				for _, of := range []string{"deployments", "replicasets", "pods"} {
					b.bookmark(of)
				}
			})
		}
		b.change(func() {
			for resource, count := range lists {
				if count > 6 { // one of them begins
					t.Errorf("%d lists of %s", count, resource)
				}
			}
		})
		if told := s.HeldBack(); len(told) > 0 {
			t.Errorf("%s are said to be held back", told)
		}
	})
}
