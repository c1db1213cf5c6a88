//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// stuffed is a pipe that takes nothing more: who writes to it stands still.
func stuffed(t *testing.T) *os.File {
	t.Helper()
	read, write, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { _, _ = read.Close(), write.Close() }) // it is only a pipe
	must(t, write.SetWriteDeadline(time.Now().Add(time.Second)))
	for err == nil {
		_, err = write.Write(make([]byte, 4096))
	}
	return write
}

// Killed between the write of the object and that of the template, a change is not lost: the next command goes on.
func TestConfigSetKilledBetweenItsWrites(t *testing.T) {
	t.Parallel()
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			w := newConfigured(t)
			before := w.reference()
			// It tells of the object once that is written.
			cmd := exec.Command("kubectl", "rollout-plus", "config", "set", "settings", "color=red", "--yes", mode.flag, "--steps", "100%")
			cmd.Env, cmd.Stdout = w.environment(), stuffed(t)
			must(t, cmd.Start())
			w.until(func() bool {
				return w.kubectl("get", "configmap", "settings", "-o", "jsonpath={.data.color}") == "red"
			}, func() string { return "the object is not written" })
			must(t, cmd.Process.Signal(syscall.SIGKILL))
			if err := cmd.Wait(); err == nil {
				t.Error("it came to its end")
			}
			if got := w.reference(); got != before {
				t.Errorf("the template names %q already", got)
			}
			w.plugin("config", "history", "settings").ends(0) // which sweeps nothing that is needed
			w.plugin("restart", "--config", "settings", mode.flag).ends(0, "deployment.apps/web rolled out (revision 2)")
			if got, want := w.reference(), mode.name(w.versionOfConfig("color=red")); got != want {
				t.Errorf("the template names %q, not %q", got, want)
			}
			w.plugin("undo", "deployment/web", "--wait").ends(0, "configmap/settings holds again what was kept for that revision")
			w.expectColor(t, "blue")
		})
	}
}
