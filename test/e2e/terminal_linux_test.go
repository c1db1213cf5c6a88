//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"
)

// terminal opens a pseudo-terminal, and gives both its ends.
func terminal(t testing.TB) (theirs, ours *os.File) {
	t.Helper()
	// Without the poller, so that an ioctl may use the file's descriptor.
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { _ = ours.Close() }) // it is only a terminal
	var unlock, number int32
	for request, value := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &number} {
		if _, _, failure := syscall.Syscall(syscall.SYS_IOCTL, ours.Fd(), request, uintptr(unsafe.Pointer(value))); failure != 0 {
			t.Fatalf("no terminal: %v", failure)
		}
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { _ = theirs.Close() }) // as above
	return theirs, ours
}

// The question of config set obeys the first Ctrl-C, as all else.
func TestInterruptedQuestion(t *testing.T) {
	s := newSpace(t)
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	theirs, ours := terminal(t)
	p := s.beginOn(theirs, "rollout-plus", "config", "set", "settings", "color=red")
	p.tells("Write configmap/settings and roll out nothing? [y/N] ")
	p.signal(syscall.SIGINT)
	p.ends(130, "nothing was written: interrupted")
	s.expectColor(t, "blue")
	p = s.beginOn(theirs, "rollout-plus", "config", "set", "settings", "color=red", "--timeout", "10m")
	p.tells("[y/N] ")
	_, err := ours.WriteString("y\n")
	must(t, err)
	p.ends(0, "configmap/settings changed")
}

// A Ctrl-C that an editor takes for itself, as ed does, does not lose what it saves.
func TestInterruptedEditor(t *testing.T) {
	s := newSpace(t)
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	theirs, _ := terminal(t)
	files := t.TempDir()
	for _, fifo := range []string{"opened", "close"} {
		must(t, syscall.Mkfifo(filepath.Join(files, fifo), 0o600))
	}
	script := "#!/bin/sh\ntrap '' INT\necho > opened\nread line < close\nsed -i 's/blue/red/' \"$1\"\n"
	editor := filepath.Join(files, "editor.sh")
	must(t, os.WriteFile(editor, []byte(script), 0o700))
	cmd := exec.Command("kubectl", "rollout-plus", "config", "edit", "settings", "--yes")
	cmd.Stdin, cmd.Dir = theirs, files
	p := s.run(cmd, []string{"KUBE_EDITOR=" + editor, "TMPDIR=" + files})
	_, err := os.ReadFile(filepath.Join(files, "opened"))
	must(t, err)
	p.signal(syscall.SIGINT)
	p.signal(syscall.SIGINT)
	must(t, os.WriteFile(filepath.Join(files, "close"), []byte("\n"), 0o600))
	p.ends(130, "nothing was written: interrupted")
	p.tells("what you saved is in " + files)
	s.expectColor(t, "blue")
	saved, err := filepath.Glob(filepath.Join(files, "rollout-plus-*.yaml"))
	if must(t, err); len(saved) != 1 {
		t.Errorf("there are %v", saved)
	}
}
