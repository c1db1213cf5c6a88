package printers

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                 "",
		"deployment.apps/web rolled out\n": "deployment.apps/web rolled out\n",
		"NAME\tREADY\nweb \t 1/1":          "NAME\tREADY\nweb \t 1/1",
		"ä 日本 👩‍🚀 [::1]:80 https://x a::b":   "ä 日本 👩‍🚀 [::1]:80 https://x a::b",
		"# a\n## [b]\n- [ ] c #1 [d] x[0]":   "# a\n## [b]\n- [ ] c #1 [d] x[0]",
		"\x1b[1A\x1b[2K gone":                `\u001b[1A\u001b[2K gone`,
		"\x1b]52;c;aGk=\a":                   `\u001b]52;c;aGk=\u0007`,
		"\u009b2J \u0085x\u2028y\u2029":      `\u009b2J \u0085x\u2028y\u2029`,
		"\x9b2J \xff":                        "\ufffd2J \ufffd",
		"a\rb\x00\x7f\b\v\f":                 `a\u000db\u0000\u007f\u0008\u000b\u000c`,
		"user\u202enimda\u2066x\u200f\ufeff": `user\u202enimda\u2066x\u200f\ufeff`,
		"x\U000e0001y":                       `x\udb40\udc01y`,
		"::set-output name=a::b":             `:\u003aset-output name=a::b`,
		"one\n \t ::error::two":              "one\n \t :\\u003aerror::two",
		"\r::set-output":                     `\u000d:\u003aset-output`,
		"one ::error::":                      "one ::error::",
		"##[error]x ##vso[task.setvariable]": `##\u005berror]x ##vso\u005btask.setvariable]`,
		"x: ##teamcity[y]":                   `x: ##teamcity\u005by]`,
		"section_start:1:a\r\x1b[0K":         `section_start\u003a1:a\u000d\u001b[0K`,
		"x section_end:1:a":                  `x section_end\u003a1:a`,
	} {
		if got := Escape(text); got != want {
			t.Errorf("%q becomes %q, not %q", text, got, want)
		}
	}
}

// dangerous is what no line for people may have in it.
var dangerous = regexp.MustCompile(`(?m)[\x00-\x08\x0b-\x1f\x7f\x{80}-\x{9f}\x{2028}-\x{202e}\x{2066}-\x{2069}]|^\s*::|##[A-Za-z]*\[|section_(start|end):`)

// pieces draws a text with what is dangerous in it, in pieces that may end within a character.
func pieces(t *rapid.T) [][]byte {
	parts := []string{
		"\x1b[1A", "\x1b]52;c;eA==\a", ":", "::", "::set-output name=a::b", "#", "##", "##[error]", "vso[", "[", "\r", "\n", " ", "\t", "section_start:", "section_end",
		"\u202e", "\u0085", "\u2028", "\x9b", "\xe2\x80", "ä", "👩‍🚀", "x", `"`, `\`, "\x1b[32m", "\x1b[0m",
	}
	text := []byte(strings.Join(rapid.SliceOf(rapid.SampledFrom(parts)).Draw(t, "text"), ""))
	var all [][]byte
	for len(text) > 0 {
		n := rapid.IntRange(1, len(text)).Draw(t, "piece")
		all, text = append(all, text[:n]), text[n:]
	}
	return all
}

func TestNothingDangerousPasses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		stream, all := NewStream(&out), pieces(t)
		for _, piece := range all {
			if n, err := stream.Write(piece); n != len(piece) || err != nil {
				t.Fatalf("wrote %d of %d: %v", n, len(piece), err)
			}
		}
		stream.Flush()
		if found := dangerous.FindString(out.String()); found != "" || !utf8.Valid(out.Bytes()) {
			t.Fatalf("%q passes in %q", found, out.String())
		}
		if whole := Escape(string(bytes.Join(all, nil))); whole != out.String() {
			t.Fatalf("in pieces it is %q, as a whole %q", out.String(), whole)
		}
	})
}

// JSON means the same to a program, and shows nothing dangerous.
func TestJSONMeansTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.ToValidUTF8(string(bytes.Join(pieces(t), nil)), "?")
		var plain, out bytes.Buffer
		for _, w := range []io.Writer{&plain, NewStream(&out)} {
			if err := newEncoder(w).Encode(map[string]string{text: text}); err != nil {
				t.Fatal(err)
			}
		}
		var want, got map[string]string
		if err := json.Unmarshal(plain.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("%q: %v", out.String(), err)
		}
		if got[text] != text || want[text] != text || dangerous.MatchString(out.String()) {
			t.Fatalf("%q becomes %q", text, out.String())
		}
	})
}

// The palette's own colours pass where it colours, and nothing else does.
func TestColoursPass(t *testing.T) {
	t.Parallel()
	for _, coloured := range []bool{true, false} {
		var out bytes.Buffer
		stream := NewStream(&out)
		PaletteFor(stream, coloured)
		text := NewPalette(true).good.Sprint("good")
		if _, err := io.WriteString(stream, text+"\x1b[1A"); err != nil {
			t.Fatal(err)
		}
		want := text + `\u001b[1A`
		if !coloured {
			want = Escape(text) + `\u001b[1A`
		}
		if out.String() != want {
			t.Errorf("coloured %v: %q, not %q", coloured, out.String(), want)
		}
	}
}

// What is meant for a CI runner reaches it, with the text of others escaped.
func TestAnnotationsPass(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	finding := crash()
	finding.Message = "a\x1b[1A\r\n::error::b ##[error]"
	Annotate(NewStream(&out), finding)
	if line := out.String(); !strings.HasPrefix(line, "::error title="+finding.ID+"::") || strings.Count(line, "\n") != 1 ||
		strings.ContainsAny(line, "\x1b\r") || strings.Contains(line, "##[") {
		t.Errorf("%q", line)
	}
	lines := NewLines(&out, NewStream(&out), NewPalette(false), NewPalette(false), "deployment.apps/web")
	out.Reset()
	lines.Event(began, rollout.FindingEvent{Finding: finding})
	if found := dangerous.FindString(out.String()); found != "" {
		t.Errorf("%q in %q", found, out.String())
	}
}
