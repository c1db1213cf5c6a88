package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
)

// RefuseBlocked returns an error if the change would keep new pods from starting.
func RefuseBlocked(object configmap.Object, namespace string, affected []impact.Affected) error {
	i := slices.IndexFunc(affected, func(a impact.Affected) bool { return a.Verdict == impact.Block })
	if i < 0 {
		return nil
	}
	a, text := &affected[i], ""
	if len(a.Reasons) > 0 {
		text = ": " + a.Reasons[0].Container + ": " + a.Reasons[0].Text
	}
	return fmt.Errorf("nothing was written, since new pods of %s/%s could not start with this %s%s; see %s",
		strings.ToLower(a.Kind), a.Name, object, text, command.Quoted("%s config affected %s -n %s -o wide", command.Plugin, object, namespace))
}

// Uncertain returns a sentence that names the workloads whose pods may not run with the present content, or "" if there are
// none.
func (s *Session) Uncertain(judged *impact.Change, affected []impact.Affected) string {
	var names []string
	for i := range affected {
		if affected[i].Uncertain && affected[i].Rolls() {
			names = append(names, strings.ToLower(affected[i].Kind)+"/"+affected[i].Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	why := "keys may have been removed from it since"
	if judged.New == nil {
		why = "it is not there, and may have been then"
	}
	text := fmt.Sprintf("is left as it is: it cannot tell what pods of %s started with, since %s", strings.Join(names, ", "), why)
	return text + "; to start them anew, run " + command.Quoted("%s restart %s -n %s", command.Plugin, strings.Join(names, " "), s.Namespace)
}
