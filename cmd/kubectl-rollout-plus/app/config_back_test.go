package app

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

// TestWhatIsSaidOfAnObjectWhereNotAllIsDone has what people are told say how the object really is.
func TestWhatIsSaidOfAnObjectWhereNotAllIsDone(t *testing.T) {
	t.Parallel()
	there := &store.Live{Object: configmap.Object{Kind: configmap.ConfigMap, Name: "web"}, State: &store.State{}}
	created := &store.Live{Object: there.Object}
	for name, test := range map[string]struct {
		head *store.Live
		back *wayBack
		want string
	}{
		"not taken back":       {there, nil, "configmap/web stays changed, and '"},
		"taken back":           {there, &wayBack{}, "configmap/web holds again what it held before, and '"},
		"could not be":         {there, &wayBack{err: errors.New("no")}, "configmap/web stays changed; see '"},
		"created, and removed": {created, &wayBack{}, "configmap/web is gone again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &changer{roller: &roller{configSession: &configSession{Session: &store.Session{Namespace: "shop"}}}, head: test.head, returned: test.back, want: &configmap.Content{}}
			if got := c.standing(); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestWhatCouldNotBeTakenBackStands has nobody told that all is as it was, nor that nothing was begun.
func TestWhatCouldNotBeTakenBackStands(t *testing.T) {
	t.Parallel()
	for name, why := range map[string]error{
		"the object": errors.New("somebody else has changed it"),
		"a workload": &exitError{code: ExitRolledBack, err: errors.New("rolled back")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &changer{
				roller:   &roller{configSession: &configSession{Session: &store.Session{Namespace: "shop"}, env: &environment{}}},
				head:     &store.Live{Object: configmap.Object{Kind: configmap.ConfigMap, Name: "web"}, State: &store.State{}},
				out:      []*affectedWorkload{{workload: &appsv1.Deployment{}}},
				returned: &wayBack{err: why},
			}
			c.env.ErrOut = io.Discard
			err := c.failed(t.Context(), 0, &exitError{code: ExitRolledBack, err: errors.New("failed")}, &store.Live{})
			if exitCode(err) != ExitStanding || !strings.Contains(err.Error(), "not all could be taken back: "+why.Error()) {
				t.Errorf("code %d: %v", exitCode(err), err)
			}
			interrupted, interrupt := context.WithCancelCause(t.Context())
			interrupt(&InterruptError{Signal: syscall.SIGTERM})
			if code := exitCode(c.notBack(interrupted, "failed", why)); code != ExitTerminated {
				t.Errorf("interrupted: code %d", code)
			}
		})
	}
}
