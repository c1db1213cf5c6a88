package configmap

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// Shown returns a content as text that people can compare with another content. For a Secret it shows only the keys, and marks
// those whose values differ. It never shows a value.
func (c *Content) Shown(kind Kind, other *Content, mark string) []byte {
	var text strings.Builder
	for _, key := range c.Keys() {
		value, isText := c.Text[key]
		switch {
		case kind == Secret:
			hidden := "***"
			if before, had := other.Text[key]; had && before != value {
				hidden += " (" + mark + ")"
			}
			fmt.Fprintf(&text, "%s: %s\n", key, hidden)
		case !isText:
			fmt.Fprintf(&text, "%s: binary, %d bytes, sha256 %x\n", key, len(c.Binary[key]), sha256.Sum256(c.Binary[key]))
		case strings.Contains(value, "\n"):
			fmt.Fprintf(&text, "%s: |\n", key)
			for line := range strings.Lines(value) {
				fmt.Fprintf(&text, "  %s\n", strings.TrimSuffix(line, "\n"))
			}
			if !strings.HasSuffix(value, "\n") {
				text.WriteString("  \\ no newline at the end\n")
			}
		default:
			fmt.Fprintf(&text, "%s: %s\n", key, value)
		}
	}
	return []byte(text.String())
}
