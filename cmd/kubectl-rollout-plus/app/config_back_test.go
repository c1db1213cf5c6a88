package app

import (
	"errors"
	"strings"
	"testing"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// TestWhatIsSaidOfAnObjectWhereNotAllIsDone has what people are told say how the object really is.
func TestWhatIsSaidOfAnObjectWhereNotAllIsDone(t *testing.T) {
	t.Parallel()
	there := &head{object: configmap.Object{Kind: configmap.ConfigMap, Name: "web"}, read: &read{}}
	created := &head{object: there.object}
	for name, test := range map[string]struct {
		head *head
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
			c := &changer{roller: &roller{configSession: &configSession{namespace: "shop"}}, head: test.head, returned: test.back}
			if got := c.standing(); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}
