//go:build e2e

package e2e

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// withStreams starts the plugin with these streams for its output.
func (s *space) withStreams(out, errOut *os.File, args ...string) *exec.Cmd {
	s.Helper()
	cmd := exec.Command("kubectl", append([]string{"rollout-plus"}, args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.environment(), out, errOut
	must(s.TB, cmd.Start())
	s.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended, unless the test failed
	return cmd
}

// exits waits for a command and gives its exit code, -1 where a signal ended it.
func (s *space) exits(cmd *exec.Cmd) int {
	s.Helper()
	alarm := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer alarm.Stop()
	_ = cmd.Wait() // the code says it all
	return cmd.ProcessState.ExitCode()
}

// A rollout that is under way goes on when nobody reads what it tells any more, and exits as the outcome is.
func TestARolloutGoesOnWithoutItsReader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		image, runs string
		code        int
	}{
		"forward": {image: "web:v2", runs: "web:v2"}, "back": {image: "web:crash", runs: "web:v1", code: 5},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWeb(t)
			for _, output := range []string{"json", ""} { // the second time there is nothing to do but for the way forward
				reader, writer, err := os.Pipe()
				must(t, err)
				cmd := w.withStreams(writer, writer, "start", "deployment/web", "--image", c.image, "-o", output, "--env", "TRY="+output)
				must(t, writer.Close())
				_, err = bufio.NewReader(reader).ReadString('\n')
				must(t, err)
				must(t, reader.Close())
				if code := w.exits(cmd); code != c.code {
					t.Fatalf("-o %q: exit code %d", output, code)
				}
				w.await("the controller is done", func(m *snapshot) bool { return m.complete() && m.image() == c.runs })
				w.restored()
			}
			w.keeps("1", "1")
		})
	}
}

// A pager that is left alone reads nothing for hours. The rollout does not wait for it, and when it reads on the result is there.
func TestARolloutDoesNotWaitForItsReader(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		image, runs string
		code        int
	}{
		"forward": {image: "web:v2", runs: "web:v2"}, "back": {image: "web:crash", runs: "web:v1", code: 5},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWeb(t)
			reader, writer, err := os.Pipe()
			must(t, err)
			fill(t, writer)
			cmd := w.withStreams(writer, writer, "start", "deployment/web", "--image", c.image, "-o", "json")
			must(t, writer.Close())
			w.await("its gate was closed", func(m *snapshot) bool { return m.deployment.Annotations[rolloutAnnotation] != "" })
			w.await("it is over, and nobody has read a word", func(m *snapshot) bool {
				return m.complete() && m.image() == c.runs && m.deployment.Annotations[rolloutAnnotation] == ""
			})
			told, err := io.ReadAll(reader)
			must(t, err)
			if code := w.exits(cmd); code != c.code {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(string(told), `"type":"plan"`) || !strings.Contains(string(told), `"type":"result"`) {
				t.Errorf("it told %s", strings.TrimLeft(string(told), "."))
			}
			w.restored()
			w.keeps("1", "1")
		})
	}
}

// fill leaves no room in a pipe.
func fill(t *testing.T, writer *os.File) {
	t.Helper()
	for {
		must(t, writer.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
		if _, err := writer.Write([]byte("................")); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			return
		}
	}
}

// A full disk is no reason to stop either, for no command that waits for what it has begun.
func TestWorkGoesOnWhenTheDiskIsFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = full.Close() }() // it holds nothing
	w := newWeb(t)
	for _, args := range [][]string{
		{"start", "deployment/web", "--image", "web:v2", "-o", "json"},
		{"undo", "deployment/web", "--wait"},
		{"restart", "deployment/web", "--wait"},
		{"create", "configmap", "settings", "--from-literal=a=b"},
		{"config", "attach", "deployment/web", "--env-from-config", "settings", "-o", "json"},
	} {
		if code := w.exits(w.withStreams(full, full, args...)); code != 0 && args[0] != "create" {
			t.Errorf("%q: exit code %d", args, code)
		}
	}
	w.await("complete", (*snapshot).complete)
	now := w.now()
	if image := now.image(); image != "web:v1" {
		t.Errorf("it runs %s", image)
	}
}
