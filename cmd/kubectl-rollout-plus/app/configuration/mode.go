package configuration

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/attach"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/impact"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// ModeFlags select whether templates reference versions or keep the plain names.
type ModeFlags struct{ InPlace, Pin bool }

// AddMode adds the flags to a command.
func (f *ModeFlags) AddMode(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.InPlace, "in-place", false,
		"Keep plain names in pod templates. The default if Helm, Argo CD, Flux or kubectl apply owns the manifest.")
	flags.BoolVar(&f.Pin, "pin", false, "Reference a version, an immutable copy, in pod templates, whoever owns the manifest.")
}

// CheckMode returns an error if the flags exclude each other.
func (f *ModeFlags) CheckMode() error {
	if f.InPlace && f.Pin {
		return cli.UsageError(errors.New("--in-place and --pin exclude each other; give one of them"))
	}
	return nil
}

// Keeps decides for each head whether a workload's template keeps its plain name. The answer may differ between two heads
// that are rolled out together: a manifest elsewhere may set only one of them. own is the field manager of this program.
func (f *ModeFlags) Keeps(w workload.Object, heads []configmap.Object, own string) attach.PlainNames {
	all := attach.PlainNames{}
	for _, head := range heads {
		why := ""
		switch {
		case f.InPlace:
			why = "--in-place"
		case !f.Pin:
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
	name, text, why := cli.NameOf(w.workload), "", w.keeps[head]
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
