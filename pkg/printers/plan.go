package printers

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// WayOf names the revisions that a plan leads from and to, with their images. It returns "" if the target revision is not
// known.
func WayOf(plan rollout.PlanEvent) string {
	if plan.To.Number == 0 {
		return ""
	}
	return fmt.Sprintf("from revision %d%s to revision %d%s", plan.From.Number, withImages(plan.From.Images), plan.To.Number, withImages(plan.To.Images))
}

// PlanTable writes the pod counts of each step of a plan.
func PlanTable(out io.Writer, plan rollout.PlanEvent) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(table, "STEP\tAS\tNEW\tOLD\tMOST PODS\tLEAST AVAILABLE") // the error comes with Flush
	for _, step := range plan.Steps {
		_, _ = fmt.Fprintf(table, "%d\t%s\t%d\t%d\t%d\t%d\n", step.Number, step.As, step.New, step.Old, step.MaxTotal, step.MinAvailable)
	}
	return table.Flush()
}
