package app

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// modeFlags select whether templates reference versions or keep the plain names.
type modeFlags struct{ inPlace, pin bool }

func (f *modeFlags) addMode(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.inPlace, "in-place", false,
		"Keep plain names in pod templates. The default if Helm, Argo CD, Flux or kubectl apply owns the manifest.")
	flags.BoolVar(&f.pin, "pin", false, "Reference a version, an immutable copy, in pod templates, whoever owns the manifest.")
}

func (f *modeFlags) checkMode() error {
	if f.inPlace && f.pin {
		return usageError(errors.New("--in-place and --pin exclude each other; give one of them"))
	}
	return nil
}

// keeps decides for each head whether a workload's template keeps its plain name. The answer may differ between two heads
// that are rolled out together: a manifest elsewhere may set only one of them. own is the field manager of this program.
func (f *modeFlags) keeps(w workload.Object, heads []configmap.Object, own string) attach.PlainNames {
	all := attach.PlainNames{}
	for _, head := range heads {
		why := ""
		switch {
		case f.inPlace:
			why = "--in-place"
		case !f.pin:
			why = configmap.Elsewhere(w, workload.TemplateOf(w), head, own)
		}
		if why != "" {
			all[head] = why
		}
	}
	return all
}

// told returns a line on what running pods of the workload see before their step, or "" if they see nothing.
func (w *affectedWorkload) told(head configmap.Object) string {
	name, text, why := nameOf(w.workload), "", w.keeps[head]
	switch {
	case why != "" && w.plain(head):
		text = fmt.Sprintf("%s keeps the plain name (%s)", name, why)
	case why != "":
		return fmt.Sprintf("%s gets the plain name again (%s)", name, why)
	case w.plain(head):
		text = name + " has the plain name so far"
	default:
		return ""
	}
	live := slices.ContainsFunc(w.judgment.Reasons, func(r impact.Reason) bool { return r.Effect == impact.Live })
	if pods := workload.PodCountsOf(w.workload).Total; live && pods > 0 {
		return fmt.Sprintf("%s: its %d running pods see mounted files change before their step", text, pods)
	}
	return text + ": a container that restarts before its step sees the change"
}

// plain reports whether the template references the object by its own name.
func (w *affectedWorkload) plain(head configmap.Object) bool {
	return configmap.NamesPlainly(&workload.TemplateOf(w.workload).Spec, head)
}
