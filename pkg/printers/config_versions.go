package printers

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
)

// ConfigVersions are the versions of a ConfigMap or Secret. They have no values in them.
type ConfigVersions struct {
	SchemaVersion int             `json:"schemaVersion"`
	Config        Config          `json:"config"`
	Versions      []ConfigVersion `json:"versions"`
}

// ConfigVersion is one of them.
type ConfigVersion struct {
	Name       string    `json:"name"`
	CreatedAt  time.Time `json:"createdAt"`
	AgeSeconds int64     `json:"ageSeconds"`
	// ChangedKeys are those that differ from the version before, all of the first.
	ChangedKeys []string `json:"changedKeys"`
	// UsedBy are revisions, as in deployment/web:3.
	UsedBy []string `json:"usedBy"`
	// LeftBy are revisions that do not name it, during which the object held it last. The table has them in parentheses.
	LeftBy []string `json:"leftBy,omitempty"`
	// Current tells that the object holds the same now.
	Current bool `json:"current"`
}

// ConfigVersionsJSON writes one document.
func ConfigVersionsJSON(out io.Writer, versions *ConfigVersions) error {
	return newEncoder(out).Encode(versions)
}

// ConfigVersionsTable writes a line for each.
func ConfigVersionsTable(out io.Writer, versions *ConfigVersions) error {
	table := tabwriter.NewWriter(out, 0, 8, padding, ' ', 0)
	_, _ = fmt.Fprintln(table, "VERSION\tAGE\tCHANGED\tUSED-BY")
	for i := range versions.Versions {
		v := &versions.Versions[i]
		name := v.Name
		if v.Current {
			name += " *"
		}
		users := slices.Clone(v.UsedBy)
		for _, revision := range v.LeftBy {
			users = append(users, "("+revision+")")
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", name, duration.HumanDuration(time.Duration(v.AgeSeconds)*time.Second),
			orNone(strings.Join(v.ChangedKeys, ",")), orNone(strings.Join(users, ",")))
	}
	return table.Flush()
}
