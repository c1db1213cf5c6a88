package printers

import (
	"fmt"
	"io"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Text is one side of a diff.
type Text struct {
	Name string
	Body []byte
}

// Diff writes the differences between two texts in the unified format. It reports whether there are any.
func Diff(out io.Writer, palette Palette, from, to Text) (bool, error) {
	unified := string(diff.Diff(from.Name, from.Body, to.Name, to.Body))
	if unified == "" {
		return false, nil
	}
	// The first line repeats the two that follow.
	_, unified, _ = strings.Cut(unified, "\n")
	for number, line := range strings.Split(strings.TrimSuffix(unified, "\n"), "\n") {
		if _, err := fmt.Fprintln(out, palette.ofDiff(number, line)); err != nil {
			return true, err
		}
	}
	return true, nil
}

// ofDiff colours a line of a diff. The first two are the names, whatever they begin with.
func (p Palette) ofDiff(number int, line string) string {
	switch {
	case number < 2:
		return p.faint.Sprint(line)
	case strings.HasPrefix(line, "+"):
		return p.good.Sprint(line)
	case strings.HasPrefix(line, "-"):
		return p.bad.Sprint(line)
	case strings.HasPrefix(line, "@"):
		return p.busy.Sprint(line)
	}
	return line
}
