package printers

import (
	"fmt"
	"io"
	"path"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Affected lists the workloads that a change of a ConfigMap or Secret concerns. It contains no values.
type Affected struct {
	// SchemaVersion is 1.
	SchemaVersion int `json:"schemaVersion"`
	// Config is the ConfigMap or Secret: `kind`, `name`.
	Config Config `json:"config"`
	// ChangedKeys lists the keys that change. Without a proposed change these are all keys.
	ChangedKeys []string `json:"changedKeys"`
	// Workloads lists the workloads that use the object.
	Workloads []AffectedWorkload `json:"workloads"`
	// Proposed is true if somebody proposed a change. Otherwise a change of every key is assumed.
	Proposed bool `json:"proposed"`
	// Stale says that the question is which workloads run with other content than the object holds now.
	Stale bool `json:"-"`
	// Gone is true if the object does not exist.
	Gone bool `json:"absent,omitempty"`
}

// Config names a ConfigMap or a Secret.
type Config struct {
	// Kind is `ConfigMap` or `Secret`.
	Kind string `json:"kind"`
	// Name is the name of the object.
	Name string `json:"name"`
}

// AffectedWorkload is a workload that references the object, with what the change means for it.
type AffectedWorkload struct {
	// Kind is the kind of the workload.
	Kind string `json:"kind"`
	// Name is the name of the workload.
	Name string `json:"name"`
	// Verdict is what the change means for the workload, such as `restart`.
	Verdict string `json:"verdict"`
	// Note is a remark on the verdict.
	Note string `json:"note,omitempty"`
	// Reasons lists the places where containers see the change.
	Reasons []AffectedReason `json:"reasons"`
}

// AffectedReason is a place where a container sees the change.
type AffectedReason struct {
	// Container is the name of the container.
	Container string `json:"container"`
	// Source is how the container takes the key, such as `envFrom`.
	Source string `json:"source"`
	// Key is the key that changes.
	Key string `json:"key,omitempty"`
	// Variable is the environment variable that holds the key.
	Variable string `json:"variable,omitempty"`
	// Path is the file that holds the key.
	Path string `json:"path,omitempty"`
	// Reason is what happens to it, such as `changes`.
	Reason string `json:"reason"`
}

// AffectedJSON writes the affected workloads as one JSON document.
func AffectedJSON(out io.Writer, affected *Affected) error {
	return newEncoder(out).Encode(affected)
}

// width is the terminal width that tables should fit into. leastWhy is the least room for a reason beside long names.
const (
	width    = 80
	leastWhy = 30
	padding  = 3
)

// AffectedTable writes a line for each workload, with its first reason.
func AffectedTable(out io.Writer, affected *Affected) error {
	_, _ = fmt.Fprintln(out, affected.heading()) // the error comes with Flush
	columns := [2]int{len("WORKLOAD"), len("VERDICT")}
	for i := range affected.Workloads {
		w := &affected.Workloads[i]
		columns = [2]int{max(columns[0], utf8.RuneCountInString(w.name())), max(columns[1], len(w.Verdict))}
	}
	room := max(width-columns[0]-columns[1]-2*padding, leastWhy)
	table := tabwriter.NewWriter(out, 0, 0, padding, ' ', 0)
	_, _ = fmt.Fprintln(table, "WORKLOAD\tVERDICT\tWHY")
	for i := range affected.Workloads {
		w := &affected.Workloads[i]
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", w.name(), w.Verdict, w.why(room))
	}
	return table.Flush()
}

// AffectedWide writes a line for each reason.
func AffectedWide(out io.Writer, affected *Affected) error {
	_, _ = fmt.Fprintln(out, affected.heading())
	table := tabwriter.NewWriter(out, 0, 0, padding, ' ', 0)
	_, _ = fmt.Fprintln(table, "WORKLOAD\tVERDICT\tCONTAINER\tSOURCE\tKEY\tWHERE\tWHY")
	for i := range affected.Workloads {
		w := &affected.Workloads[i]
		if len(w.Reasons) == 0 {
			_, _ = fmt.Fprintf(table, "%s\t%s\t-\t-\t-\t-\t%s\n", w.name(), w.Verdict, w.Note)
		}
		for j := range w.Reasons {
			r := &w.Reasons[j]
			why := r.Reason
			if j == 0 && w.Note != "" {
				why += "; " + w.Note
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", w.name(), w.Verdict, orDash(r.Container), r.Source, orDash(r.Key),
				orDash(r.where()), why)
		}
	}
	return table.Flush()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// heading names the change that the table is about.
func (a *Affected) heading() string {
	object := strings.ToLower(a.Config.Kind) + "/" + a.Config.Name
	switch {
	case a.Gone:
		return object + " is not there: whose pods started with it"
	case a.Stale:
		return object + ": who does not run with what it holds now"
	case !a.Proposed:
		return object + ": what a change of every key would touch"
	case len(a.ChangedKeys) == 0:
		return object + ": no key changes, this is what it has already"
	}
	noun := "keys change"
	if len(a.ChangedKeys) == 1 {
		noun = "key changes"
	}
	return shortened(fmt.Sprintf("%s: %d %s: %s", object, len(a.ChangedKeys), noun, strings.Join(a.ChangedKeys, ", ")), width)
}

func (w *AffectedWorkload) name() string { return strings.ToLower(w.Kind) + "/" + w.Name }

// why returns the note and the first reason, with the number of further reasons.
func (w *AffectedWorkload) why(room int) string {
	if len(w.Reasons) == 0 {
		return w.Note
	}
	text := w.Reasons[0].String()
	if w.Verdict == "block" {
		// The missing thing matters more than the place.
		text = w.Reasons[0].Container + ": " + w.Reasons[0].Reason
	}
	if w.Note != "" {
		text = w.Note + "; " + text
	}
	more := ""
	if len(w.Reasons) > 1 {
		more = fmt.Sprintf(" (+%d more)", len(w.Reasons)-1)
	}
	return shortened(text, room-len(more)) + more
}

// where returns the variable, the path or both.
func (r *AffectedReason) where() string {
	if r.Variable != "" && r.Path != "" {
		return r.Path + " by $(" + r.Variable + ")"
	}
	return r.Variable + r.Path
}

// String returns the reason in a few words, as in `app: env COLOR (key color) changes`.
func (r *AffectedReason) String() string {
	text := r.Source
	if where := r.where(); where != "" {
		text += " " + where
	}
	if r.Container != "" {
		text = r.Container + ": " + text
	}
	if r.Key != "" && r.Key != r.Variable && r.Key != path.Base(r.Path) {
		text += " (key " + r.Key + ")"
	}
	return text + " " + r.Reason
}

// shortened cuts a text that is too long.
func shortened(text string, room int) string {
	const dots = "..."
	if utf8.RuneCountInString(text) <= room {
		return text
	}
	return string([]rune(text)[:max(room-len(dots), 0)]) + dots
}
