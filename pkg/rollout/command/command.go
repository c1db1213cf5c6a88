// Package command writes the commands that a message tells people to run next.
//
// A message names a command in single quotes, with the namespace of its object: 'kubectl rollout-plus resume deployment/web -n
// shop'. The code that prints the message adds the flags of the connection, which only the command line knows.
package command

import (
	"fmt"
	"regexp"
	"strings"
)

// Plugin is the beginning of this program's commands.
const Plugin = "kubectl rollout-plus"

// On returns a command of this program about an object, quoted for a sentence. The verb may have flags of its own.
func On(verb, kind, name, namespace string) string {
	return Quoted("%s %s %s/%s -n %s", Plugin, verb, strings.ToLower(kind), name, namespace)
}

// Lists returns the command that lists the objects of a kind, quoted for a sentence.
func Lists(kind, namespace string) string {
	return Quoted("kubectl get %ss -n %s", strings.ToLower(kind), namespace)
}

// Quoted returns a command in the form that Connection.Text recognizes.
func Quoted(format string, args ...any) string { return "'" + fmt.Sprintf(format, args...) + "'" }

// Connection holds the flags that select a cluster and a user, as words for a shell.
type Connection struct {
	flags string
	// file is the flag that names the kubeconfig.
	file string
}

// With returns the connection with one more flag.
func (c Connection) With(flag, value string) Connection {
	given := " --" + flag + " " + Word(value)
	if flag == "kubeconfig" {
		c.file = given
	}
	return c.with(given)
}

func (c Connection) with(given string) Connection {
	c.flags += given
	return c
}

// WithSet returns the connection with one more flag that is on or off.
func (c Connection) WithSet(flag, value string) Connection {
	return c.with(" --" + flag + "=" + Word(value))
}

// WithVariable returns the connection with a flag whose value is secret. A shell variable stands for the value.
func (c Connection) WithVariable(flag, variable string) Connection {
	return c.with(" --" + flag + ` "$` + variable + `"`)
}

// Line returns a command with the flags of the connection. A command that reads only the kubeconfig gets just the flag that
// names it. Other texts stay as they are: a mere mention such as kubectl apply or kubectl rollout resume, and a request for
// help.
func (c Connection) Line(line string) string {
	words := strings.Fields(line)
	switch {
	case c.flags == "" || len(words) < 3 || words[0] != "kubectl" || strings.HasSuffix(line, c.flags):
		return line
	case words[1] == "rollout" && len(words) == 3, words[len(words)-1] == "--help":
		return line
	case words[1] == "config":
		return strings.TrimSuffix(line, c.file) + c.file
	}
	return line + c.flags
}

// Lines returns several commands with the flags of the connection.
func (c Connection) Lines(lines []string) []string {
	if lines == nil {
		return nil
	}
	connected := make([]string, len(lines))
	for i, line := range lines {
		connected[i] = c.Line(line)
	}
	return connected
}

// Text returns a text in which every quoted command has the flags of the connection.
func (c Connection) Text(text string) string {
	if c.flags == "" || !strings.Contains(text, "'kubectl ") {
		return text
	}
	return regexp.MustCompile(`'kubectl (?:"(?:[^"\\\n]|\\.)*"|\\.|[^'"\\\n])*'`).ReplaceAllStringFunc(text, func(quoted string) string {
		return "'" + c.Line(quoted[1:len(quoted)-1]) + "'"
	})
}

// Word returns a value as one word of a POSIX shell. It uses double quotes, since the command itself stands in single quotes.
// It puts an exclamation mark outside the quotes, after a backslash: only there does an interactive shell leave it alone.
func Word(value string) string {
	switch {
	case value == "":
		return `""`
	case regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`).MatchString(value):
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`", "!", `"\!"`).Replace(value) + `"`
}
