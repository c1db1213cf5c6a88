package printers

import (
	"io"

	"github.com/fatih/color"
)

// Palette colours output for people. Colour is never the only sign of a state.
type Palette struct {
	good, bad, busy, faint *color.Color
}

// PaletteFor returns the palette of a stream, and lets its colours pass through that stream.
func PaletteFor(out io.Writer, enabled bool) Palette {
	p := NewPalette(enabled)
	if s := streamOf(out); s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.sequences = nil; enabled {
			s.sequences = p.sequences()
		}
	}
	return p
}

// NewPalette returns a palette that colours text, or one that leaves it plain.
func NewPalette(enabled bool) Palette {
	shade := func(attributes ...color.Attribute) *color.Color {
		c := color.New(attributes...)
		if enabled {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c
	}
	return Palette{good: shade(color.FgGreen), bad: shade(color.FgRed), busy: shade(color.FgCyan), faint: shade(color.Faint)}
}
