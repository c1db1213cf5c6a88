package printers

import (
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/history"
)

// Revision is a revision with the objects that its pods take configuration from.
type Revision struct {
	*history.Revision
	Config []RevisionConfig
}

// RevisionConfig is a ConfigMap or Secret that a revision's pods take configuration from. It contains no values.
type RevisionConfig struct {
	Config
	// Version is the name of the version that the pods run with, and Hash is the hash of its content. Both are empty if they
	// are not recorded.
	Version, Hash string
	// Absent says that the object did not exist when the pods were rolled out.
	Absent bool
}

// HistoryTable writes revisions as cells separated by tabs, for a tab writer to align.
func HistoryTable(out io.Writer, revisions []Revision, now time.Time) {
	_, _ = fmt.Fprintln(out, "REVISION\tAGE\tSTATE\tPODS\tIMAGES\tCONFIG\tCHANGED-BY\tCHANGE-CAUSE") // the tab writer keeps the error
	for i := range revisions {
		r := &revisions[i]
		_, _ = fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Number, tellAge(r.Revision, now), stateCell(r.Revision), podsCell(r.Revision),
			orNone(strings.Join(r.Images, ",")), configCell(r.Config), orUnknown(r.ChangedBy), orNone(oneLine(r.ChangeCause)))
	}
}

// stateCell returns a revision's state for its workload, and whether it has failed.
func stateCell(r *history.Revision) string {
	if r.Failed {
		return string(r.State) + ",failed"
	}
	return string(r.State)
}

// podsCell returns the number of ready pods of a revision, and the number of all.
func podsCell(r *history.Revision) string {
	if r.Uncounted {
		return "-"
	}
	return fmt.Sprintf("%d/%d", r.Ready, r.Total)
}

// configCell names the versions. Secrets come with their kind.
func configCell(config []RevisionConfig) string {
	if len(config) == 0 {
		return "-"
	}
	cells := make([]string, len(config))
	for i := range config {
		c := &config[i]
		switch {
		case c.Absent:
			cells[i] = c.Name + ":absent"
		case c.Version == "":
			cells[i] = c.Name + ":not-recorded"
		default:
			cells[i] = c.Version
		}
		if c.Kind != "ConfigMap" {
			cells[i] = strings.ToLower(c.Kind) + "/" + cells[i]
		}
	}
	return strings.Join(cells, ",")
}

// tellAge returns the age of a revision. If a rollback to the revision happened at an unknown time, it returns an upper bound.
func tellAge(r *history.Revision, now time.Time) string {
	if r.MadeAfter.IsZero() {
		return duration.HumanDuration(age(r, now))
	}
	return "<" + duration.HumanDuration(max(now.Sub(r.MadeAfter), 0))
}

// age returns the age of a revision. It is never negative, even if clocks differ.
func age(r *history.Revision, now time.Time) time.Duration { return max(now.Sub(r.Created), 0) }

func orNone(text string) string {
	if text == "" {
		return "<none>"
	}
	return text
}

// orUnknown replaces the placeholder for an unknown name.
func orUnknown(name string) string {
	if name == history.Unknown {
		return "<unknown>"
	}
	return name
}

// oneLine keeps foreign text from breaking the table.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// HistoryFields returns the fields that a revision's JSON has besides the object that kubectl prints. Their types are those of
// decoded JSON.
func HistoryFields(r *Revision, now time.Time) map[string]any {
	images := make([]any, len(r.Images))
	for i, image := range r.Images {
		images[i] = image
	}
	config := make([]any, len(r.Config))
	for i := range r.Config {
		config[i] = r.Config[i].fields()
	}
	fields := map[string]any{
		"schemaVersion": int64(SchemaVersion),
		"revision":      r.Number,
		"createdAt":     r.Created.UTC().Format(time.RFC3339),
		"ageSeconds":    int64(age(r.Revision, now).Seconds()),
		"images":        images,
		"config":        config,
		"changedBy":     r.ChangedBy,
		"changeCause":   r.ChangeCause,
		"state":         string(r.State),
		"failed":        r.Failed,
	}
	if !r.Uncounted {
		fields["pods"] = map[string]any{"ready": int64(r.Ready), "total": int64(r.Total)}
	}
	if !r.MadeAfter.IsZero() {
		fields["madeAfter"] = r.MadeAfter.UTC().Format(time.RFC3339)
	}
	return fields
}

// fields returns the JSON fields. They include no version if none is recorded.
func (c *RevisionConfig) fields() map[string]any {
	fields := map[string]any{"kind": c.Kind, "name": c.Name, "recorded": c.Version != "" || c.Absent}
	if c.Absent {
		fields["absent"] = true
	}
	if c.Version != "" {
		fields["version"], fields["hash"] = c.Version, c.Hash
	}
	return fields
}
