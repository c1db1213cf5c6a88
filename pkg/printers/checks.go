package printers

import (
	"fmt"
	"io"

	"github.com/fatih/color"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/preflight"
)

func checksOf(results []preflight.Result) []checkResult {
	told := make([]checkResult, len(results))
	for i, r := range results {
		told[i] = checkResult{r.ID, string(r.Status), r.Message}
	}
	return told
}

func (p Palette) check(status preflight.Status) *color.Color {
	switch status {
	case preflight.OK:
		return p.good
	case preflight.Fail:
		return p.bad
	case preflight.Warn:
		return p.busy
	case preflight.Skip:
	}
	return p.faint
}

// ChecksText writes a line per check.
func ChecksText(out io.Writer, palette Palette, results []preflight.Result) {
	for _, r := range results {
		_, _ = fmt.Fprintf(out, "%s %s: %s\n", palette.check(r.Status).Sprintf("%-4s", r.Status), r.ID, r.Message)
	}
}

// CheckLines returns a line for each check that is not OK. It leaves out checks that do not apply to this kind of workload.
func CheckLines(palette Palette, results []preflight.Result) []string {
	var lines []string
	for _, r := range results {
		if r.Status != preflight.OK && !r.OfOthers {
			lines = append(lines, fmt.Sprintf("check %s %s: %s", palette.check(r.Status).Sprint(r.Status), r.ID, r.Message))
		}
	}
	return lines
}

// CheckAnnotations writes the failed checks as annotations that GitHub Actions reads from a command's output.
func CheckAnnotations(out io.Writer, object string, results []preflight.Result) {
	for _, r := range preflight.Failed(results) {
		command(out, annotation("error", r.ID, object+": "+r.Message))
	}
}

// checkDocument is what `check` writes.
type checkDocument struct {
	// SchemaVersion is 1.
	SchemaVersion int `json:"schemaVersion"`
	// Object is the workload: `apiVersion`, `kind`, `namespace`, `name`.
	Object Object `json:"object"`
	// Failed is true if a check is `FAIL`.
	Failed bool `json:"failed"`
	// Checks lists the results: `id`, `status`, `message`, as in the event `checks`.
	Checks []checkResult `json:"checks"`
}

// ChecksJSON writes all checks of an object as one line of JSON.
func ChecksJSON(out io.Writer, object Object, results []preflight.Result) {
	_ = newEncoder(out).Encode(checkDocument{SchemaVersion, object, len(preflight.Failed(results)) > 0, checksOf(results)}) // the reader may be gone
}
