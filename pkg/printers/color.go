package printers

import (
	"io"

	"github.com/fatih/color"
)

// Palette colours what people read. State is never told by colour alone.
type Palette struct {
	good, bad, busy, faint *color.Color
}

// PaletteFor makes the palette of a stream, which lets the palette's colours pass.
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

// NewPalette makes a palette that colours, or one that leaves everything plain.
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
