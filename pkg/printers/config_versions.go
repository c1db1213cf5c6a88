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

// ConfigVersions lists the versions of a ConfigMap or Secret. It contains no values.
type ConfigVersions struct {
	// SchemaVersion is 1.
	SchemaVersion int `json:"schemaVersion"`
	// Config is the ConfigMap or Secret: `kind`, `name`.
	Config Config `json:"config"`
	// Versions lists the versions.
	Versions []ConfigVersion `json:"versions"`
}

// ConfigVersion is a version of a ConfigMap or Secret.
type ConfigVersion struct {
	// Name is the name of the version.
	Name string `json:"name"`
	// CreatedAt is when the version was created.
	CreatedAt time.Time `json:"createdAt"`
	// AgeSeconds is the age of the version.
	AgeSeconds int64 `json:"ageSeconds"`
	// ChangedKeys lists the keys that differ from the version before. For the first version these are all keys.
	ChangedKeys []string `json:"changedKeys"`
	// UsedBy lists the revisions that use the version, as in `deployment/web:3`.
	UsedBy []string `json:"usedBy"`
	// LeftBy lists revisions that do not name this version, but during which the object held it last. The table has them in
	// parentheses.
	LeftBy []string `json:"leftBy,omitempty"`
	// Current is true if the object now holds the same.
	Current bool `json:"current"`
}

// ConfigVersionsJSON writes the versions as one JSON document.
func ConfigVersionsJSON(out io.Writer, versions *ConfigVersions) error {
	return newEncoder(out).Encode(versions)
}

// ConfigVersionsTable writes a line for each version.
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
