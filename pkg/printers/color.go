package printers

import "github.com/fatih/color"

// Palette colours what people read. State is never told by colour alone.
type Palette struct {
	good, bad, busy, faint *color.Color
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
