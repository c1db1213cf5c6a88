package printers

import (
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
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

// historyFields are the fields that a revision's JSON has besides the object that kubectl prints.
type historyFields struct {
	// SchemaVersion is 1.
	SchemaVersion int `json:"schemaVersion"`
	// Revision is the number of the revision.
	Revision int64 `json:"revision"`
	// CreatedAt is when the ReplicaSet or ControllerRevision was made.
	CreatedAt string `json:"createdAt"`
	// AgeSeconds is the age of the ReplicaSet or ControllerRevision.
	AgeSeconds int64 `json:"ageSeconds"`
	// MadeAfter is a moment before the revision began, if its ReplicaSet was made for an earlier one.
	MadeAfter string `json:"madeAfter,omitempty"`
	// Images lists the images of the containers.
	Images []string `json:"images"`
	// Config lists the ConfigMaps and Secrets that the pods take configuration from.
	Config []configFields `json:"config"`
	// Pods are the numbers of the revision's pods. They are missing if pods could not be listed.
	Pods *podFields `json:"pods,omitempty"`
	// ChangedBy is the field manager that made the revision, or `unknown`.
	ChangedBy string `json:"changedBy"`
	// ChangeCause is the annotation `kubernetes.io/change-cause`.
	ChangeCause string `json:"changeCause"`
	// Failed is true if the rollout to the revision failed and went back.
	Failed bool `json:"failed"`
	// State is `current`, `new`, `stable` or `old`.
	State string `json:"state"`
}

// configFields are the fields of an element of `config`.
type configFields struct {
	// Kind is `ConfigMap` or `Secret`.
	Kind string `json:"kind"`
	// Name is the name of the object.
	Name string `json:"name"`
	// Recorded is true if it is known what the object held.
	Recorded bool `json:"recorded"`
	// Absent is true if the object did not exist.
	Absent bool `json:"absent,omitempty"`
	// Version is the name of the version that holds the content.
	Version string `json:"version,omitempty"`
	// Hash is the hash of that content.
	Hash string `json:"hash,omitempty"`
}

// podFields are the numbers of a revision's pods.
type podFields struct {
	// Ready is how many pods are ready.
	Ready int32 `json:"ready"`
	// Total is the number of pods.
	Total int32 `json:"total"`
}

// HistoryFields returns the fields that a revision's JSON has besides the object that kubectl prints. Their types are those of
// decoded JSON.
func HistoryFields(r *Revision, now time.Time) (map[string]any, error) {
	fields := historyFields{
		SchemaVersion: SchemaVersion, Revision: r.Number, CreatedAt: r.Created.UTC().Format(time.RFC3339), AgeSeconds: int64(age(r.Revision, now).Seconds()),
		MadeAfter: momentOf(r.MadeAfter), Images: append([]string{}, r.Images...), Config: []configFields{},
		ChangedBy: r.ChangedBy, ChangeCause: r.ChangeCause, State: string(r.State), Failed: r.Failed,
	}
	for i := range r.Config {
		c := &r.Config[i]
		fields.Config = append(fields.Config, configFields{c.Kind, c.Name, c.Version != "" || c.Absent, c.Absent, c.Version, c.Hash})
	}
	if !r.Uncounted {
		fields.Pods = &podFields{r.Ready, r.Total}
	}
	return runtime.DefaultUnstructuredConverter.ToUnstructured(&fields)
}
