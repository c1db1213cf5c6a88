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

// Stream is where a command writes its output. All text from pods and objects passes through it. So none of it can move a
// terminal's cursor, write to its clipboard, hide text or give a CI runner commands. Ordinary text passes unchanged. The rest
// becomes JSON escapes, so that JSON keeps its meaning.
type Stream struct {
	mu  sync.Mutex
	out io.Writer
	// sequences are the terminal sequences that pass unescaped.
	sequences []string
	escaper
}

// NewStream returns a stream that writes to out.
func NewStream(out io.Writer) *Stream { return &Stream{out: out, escaper: newEscaper()} }

// wrapper is a writer that passes its text on to another writer.
type wrapper interface{ Unwrap() io.Writer }

// Unwrap returns the writer that the stream writes to.
func (s *Stream) Unwrap() io.Writer { return s.out }

// Underlying returns the writer at the end of a chain of wrappers. With that writer, a program can find out whether it writes
// to a terminal.
func Underlying(out io.Writer) io.Writer {
	for {
		w, is := out.(wrapper)
		if !is {
			return out
		}
		out = w.Unwrap()
	}
}

// streamOf returns the stream that a writer passes its text on to, or nil if there is none.
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

// Write escapes and writes text that may come from anybody.
func (s *Stream) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.out.Write(s.escape(text, s.sequences)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Flush ends a character whose last bytes have not come. It writes a replacement character for it.
func (s *Stream) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rest) > 0 {
		s.rest = nil
		_, _ = io.WriteString(s.out, string(utf8.RuneError)) // a failed write cannot be reported any more
	}
}

// command writes a line that is a command to a CI runner. The text after the command's marks is escaped like any other.
func command(out io.Writer, line string) {
	s := streamOf(out)
	if s == nil {
		_, _ = fmt.Fprintln(out, line)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	const marks = 2 // the colons or number signs that make the line a command
	s.begun(line[:marks])
	_, _ = s.out.Write(append([]byte(line[:marks]), s.escape([]byte(line[marks:]+"\n"), nil)...)) // the reader may be gone
}

// Escape returns a text as a Stream would write it.
func Escape(text string) string {
	e := newEscaper()
	escaped := e.escape([]byte(text), nil)
	if len(e.rest) > 0 {
		escaped = utf8.AppendRune(escaped, utf8.RuneError)
	}
	return string(escaped)
}

// escaper escapes text that comes in pieces. It remembers as much of the earlier text as it needs.
type escaper struct {
	// line is the end of the present line so far.
	line []byte
	// blank is true while the line contains only blanks.
	blank bool
	// rest holds the first bytes of an incomplete character.
	rest []byte
}

func newEscaper() escaper { return escaper{blank: true} }

// escape returns the escaped text up to its last complete character. The given sequences pass unescaped.
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

// see records a character of the text.
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

// begun records the beginning of a line that is written without escapes.
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

// isUnsafe reports whether a character is not meant for people to read. Such are control characters, line separators, and marks
// that change the direction or hide what follows. Joiners are safe, since languages and emoji need them.
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

// sequences returns the terminal sequences that begin and end the palette's shades.
func (p Palette) sequences() []string {
	var all []string
	for _, shade := range []*color.Color{p.good, p.bad, p.busy, p.faint} {
		before, after, _ := strings.Cut(shade.Sprint("|"), "|")
		all = append(all, before, after)
	}
	return all
}
