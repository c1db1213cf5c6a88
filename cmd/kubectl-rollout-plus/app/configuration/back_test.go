package configuration

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
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
			c := &Changer{Roller: &Roller{ConfigSession: &ConfigSession{Session: &store.Session{Namespace: "shop"}}}, Head: test.head, returned: test.back, Want: &configmap.Content{}}
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
		"a workload": &cli.Exit{Code: cli.ExitRolledBack, Err: errors.New("rolled back")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &Changer{
				Roller:   &Roller{ConfigSession: &ConfigSession{Session: &store.Session{Namespace: "shop"}, Env: &cli.Env{}}},
				Head:     &store.Live{Object: configmap.Object{Kind: configmap.ConfigMap, Name: "web"}, State: &store.State{}},
				out:      []*affectedWorkload{{workload: &appsv1.Deployment{}}},
				returned: &wayBack{err: why},
			}
			c.Env.ErrOut = io.Discard
			err := c.failed(t.Context(), 0, &cli.Exit{Code: cli.ExitRolledBack, Err: errors.New("failed")}, &store.Live{})
			if cli.CodeOf(err) != cli.ExitStanding || !strings.Contains(err.Error(), "not all could be taken back: "+why.Error()) {
				t.Errorf("code %d: %v", cli.CodeOf(err), err)
			}
			interrupted, interrupt := context.WithCancelCause(t.Context())
			interrupt(&cli.InterruptError{Signal: syscall.SIGTERM})
			if code := cli.CodeOf(c.notBack(interrupted, "failed", why)); code != cli.ExitTerminated {
				t.Errorf("interrupted: code %d", code)
			}
		})
	}
}
