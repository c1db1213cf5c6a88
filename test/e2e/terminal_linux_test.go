//go:build e2e

package e2e

import (
	"fmt"
	"os"
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
