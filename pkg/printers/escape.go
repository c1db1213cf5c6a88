package printers

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/fatih/color"
)

// Stream is what a command writes to. All that comes from pods and objects passes through here, so that none of it can move a
// terminal's cursor, write to its clipboard, hide text or give a CI runner commands. Ordinary text passes as it is. The rest
// becomes escapes as JSON has them, so that JSON means the same afterwards.
type Stream struct {
	mu  sync.Mutex
	out io.Writer
	// sequences are those of a terminal that pass.
	sequences []string
	escaper
}

// NewStream returns a stream that writes to out.
func NewStream(out io.Writer) *Stream { return &Stream{out: out, escaper: newEscaper()} }

// wrapper is a writer that passes on what it gets.
type wrapper interface{ Unwrap() io.Writer }

// Unwrap returns what it writes to.
func (s *Stream) Unwrap() io.Writer { return s.out }

// Underlying returns what a stream writes to in the end. A program that is given that can tell whether it is a terminal.
func Underlying(out io.Writer) io.Writer {
	for {
		w, is := out.(wrapper)
		if !is {
			return out
		}
		out = w.Unwrap()
	}
}

// streamOf returns the stream that a writer passes on to, nil where there is none.
func streamOf(out io.Writer) *Stream {
	for {
		if s, is := out.(*Stream); is {
			return s
		}
		w, is := out.(wrapper)
		if !is {
			return nil
		}
		out = w.Unwrap()
	}
}

// Write writes text that may have come from anybody.
func (s *Stream) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.out.Write(s.escape(text, s.sequences)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Flush writes the beginning of a character whose end has not come.
func (s *Stream) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rest) > 0 {
		s.rest = nil
		_, _ = io.WriteString(s.out, string(utf8.RuneError)) // there is nobody left to tell
	}
}

// command writes a line that is a command to a CI runner. Its text is escaped like any other.
func command(out io.Writer, line string) {
	s := streamOf(out)
	if s == nil {
		_, _ = fmt.Fprintln(out, line)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	const marks = 2 // the colons, or number signs, that make it one
	s.begun(line[:marks])
	_, _ = s.out.Write(append([]byte(line[:marks]), s.escape([]byte(line[marks:]+"\n"), nil)...)) // a reader that is gone
}

// Escape returns a text as a Stream writes it.
func Escape(text string) string {
	e := newEscaper()
	escaped := e.escape([]byte(text), nil)
	if len(e.rest) > 0 {
		escaped = utf8.AppendRune(escaped, utf8.RuneError)
	}
	return string(escaped)
}

// escaper remembers what it needs of the text so far, which comes in pieces.
type escaper struct {
	// line is the end of the present line.
	line []byte
	// blank is true while the line has nothing but blanks.
	blank bool
	// rest is the beginning of a character.
	rest []byte
}

func newEscaper() escaper { return escaper{blank: true} }

// escape returns the escaped text, as far as its characters are complete. Some sequences pass.
func (e *escaper) escape(text []byte, sequences []string) []byte {
	text = append(e.rest, text...)
	e.rest = nil
	escaped := make([]byte, 0, len(text))
	for len(text) > 0 {
		if sequence := beginningOf(text, sequences); sequence != "" {
			escaped, text = append(escaped, sequence...), text[len(sequence):]
			continue
		}
		if !utf8.FullRune(text) {
			e.rest = bytes.Clone(text)
			break
		}
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		switch {
		case r == utf8.RuneError && size == 1:
			escaped = utf8.AppendRune(escaped, r)
		case isUnsafe(r) || e.completesCommand(r):
			escaped = appendEscape(escaped, r)
		default:
			escaped = utf8.AppendRune(escaped, r)
		}
		e.see(r)
	}
	return escaped
}

// see takes a character into account.
func (e *escaper) see(r rune) {
	if r == '\n' {
		e.line, e.blank = e.line[:0], true
		return
	}
	const enough = 40
	if e.line = utf8.AppendRune(e.line, r); len(e.line) > 2*enough {
		e.line = append(e.line[:0], e.line[len(e.line)-enough:]...)
	}
	e.blank = e.blank && (unicode.IsSpace(r) || isUnsafe(r))
}

// begun takes the beginning of a line into account that is not escaped.
func (e *escaper) begun(text string) { e.line, e.blank = append(e.line[:0], text...), false }

// completesCommand reports whether a character makes the line a command to a CI runner: of GitHub (::set-output), Azure
// Pipelines and GitHub (##[error], ##vso[...]), TeamCity (##teamcity[...]) or GitLab (section_start:).
func (e *escaper) completesCommand(r rune) bool {
	switch r {
	case ':':
		first := bytes.TrimLeftFunc(e.line, func(r rune) bool { return unicode.IsSpace(r) || isUnsafe(r) })
		return string(first) == ":" || bytes.HasSuffix(e.line, []byte("section_start")) || bytes.HasSuffix(e.line, []byte("section_end"))
	case '[':
		return bytes.HasSuffix(bytes.TrimRightFunc(e.line, unicode.IsLetter), []byte("##"))
	}
	return false
}

// isUnsafe reports whether a character is not for people to read: control characters, separators of lines, and marks that
// change the direction or hide what follows. Joiners stay, since languages and emoji need them.
func isUnsafe(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	switch r {
	case '\n', '\t', nonJoiner, joiner:
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

func appendEscape(to []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		return fmt.Appendf(to, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(to, `\u%04x`, r)
}

// beginningOf returns the sequence that a text begins with, if any.
func beginningOf(text []byte, sequences []string) string {
	for _, sequence := range sequences {
		if bytes.HasPrefix(text, []byte(sequence)) {
			return sequence
		}
	}
	return ""
}

// sequences are what the shades of a palette begin and end with.
func (p Palette) sequences() []string {
	var all []string
	for _, shade := range []*color.Color{p.good, p.bad, p.busy, p.faint} {
		before, after, _ := strings.Cut(shade.Sprint("|"), "|")
		all = append(all, before, after)
	}
	return all
}
