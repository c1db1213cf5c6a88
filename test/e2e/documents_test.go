//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// docsFolder holds the documents, and repository the Makefile.
const (
	docsFolder = "../../docs/"
	repository = "../.."
)

// fence matches a fenced block of Markdown: its language and its text.
var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// documented is a command of a document with the lines that it prints there.
type documented struct {
	command string
	prints  []string
}

// readDocument returns the text of a document.
func readDocument(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(docsFolder + name)
	must(t, err)
	return string(text)
}

// commandsOf returns the commands of a console block.
func commandsOf(block string) []documented {
	var commands []documented
	for _, line := range strings.Split(strings.TrimSpace(block), "\n") {
		if command, is := strings.CutPrefix(line, "$ "); is {
			commands = append(commands, documented{command: command})
		} else if len(commands) > 0 && strings.TrimSpace(line) != "..." && strings.TrimSpace(line) != "" {
			last := &commands[len(commands)-1]
			last.prints = append(last.prints, line)
		}
	}
	return commands
}

// TestGettingStarted runs the tutorial. Every line that it shows has to be printed, in that order.
func TestGettingStarted(t *testing.T) {
	s := newSpace(t)
	code := 0
	for _, block := range fence.FindAllStringSubmatch(readDocument(t, "getting-started.md"), -1) {
		switch language, text := block[1], block[2]; language {
		case "sh":
			for _, command := range strings.Split(strings.TrimSpace(text), "\n") {
				s.prepare(command)
			}
		case "console":
			for _, d := range commandsOf(text) {
				if d.command == "echo $?" {
					if want := strconv.Itoa(code); len(d.prints) != 1 || d.prints[0] != want {
						t.Fatalf("the exit code is %s, the document says %v", want, d.prints)
					}
					code = 0
					continue
				}
				if code != 0 {
					t.Fatalf("exit code %d before %q, of which the document says nothing", code, d.command)
				}
				var out string
				code, out = s.shell(d.command)
				d.compare(t, out)
			}
		default:
			t.Errorf("a block of the tutorial is %q: neither sh nor console", language)
		}
	}
	if code != 0 {
		t.Errorf("the last command ends with %d, of which the document says nothing", code)
	}
}

// prepare checks a command that sets the reader's machine up, without its effect on the machine of the test.
func (s *space) prepare(command string) {
	s.Helper()
	harmless := strings.ReplaceAll(command, "tutorial", s.name)
	switch {
	case command == `eval "$(bin/test-cluster env)"`: // the test has a cluster
		return
	case strings.HasPrefix(command, "make "):
		harmless = "make -C " + repository + " -n " + strings.TrimPrefix(command, "make ")
	case strings.HasPrefix(command, "kubectl create namespace "):
		harmless = strings.Replace(command, "tutorial", s.name+"-2", 1) + " --dry-run=server"
	case strings.HasPrefix(command, "kubectl delete namespace "):
		harmless += " --dry-run=server"
	case strings.HasPrefix(command, "kubectl config set-context --current "): // of the test's own kubeconfig
	default:
		s.Fatalf("the test does not know how to try %q", command)
	}
	if code, out := s.shell(harmless); code != 0 {
		s.Fatalf("%s ends with %d: %s", harmless, code, out)
	}
}

// shell runs a command line in the test's namespace. It returns the exit code and all output.
func (s *space) shell(line string) (int, string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, "sh", "-c", line)
	command.Env = s.environment()
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.Fatalf("%s: %v", line, err)
	}
	return command.ProcessState.ExitCode(), string(out)
}

// compare looks for the lines that a document shows. A line of a document may be the beginning of a longer one.
func (d *documented) compare(t *testing.T, out string) {
	t.Helper()
	printed := strings.Split(out, "\n")
	for _, want := range d.prints {
		found := -1
		for i, line := range printed {
			if strings.HasPrefix(withoutChance(line), withoutChance(want)) {
				found = i
				break
			}
		}
		if found < 0 {
			t.Errorf("%s does not print, in this order\n%s\nbut\n%s", d.command, want, out)
			return
		}
		printed = printed[found+1:]
	}
}

// chance matches what differs from run to run, and what stands for it.
var chance = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\+\d+\.\ds `), "+TIME "},
	{regexp.MustCompile(`took \d.*`), "took TIME"},
	{regexp.MustCompile(`lowest ready \d+ |highest total \d+ `), "MEASURED "},
	{regexp.MustCompile(`\bweb-[0-9a-z]+-[0-9a-z]{5}\b`), "POD"},
	{regexp.MustCompile(`^(\d+) +<?[0-9smhd]+ `), "$1 AGE "},
	{regexp.MustCompile(` +`), " "},
}

func withoutChance(line string) string {
	for _, c := range chance {
		line = c.pattern.ReplaceAllString(line, c.instead)
	}
	return strings.TrimSpace(line)
}
