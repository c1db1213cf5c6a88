package rollout

import (
	"testing"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

// TestMain takes client-go's error handlers away before any test runs: one of them sleeps by the time of the last
// error in the process, and bubbles of testing/synctest each have a time of their own.
func TestMain(m *testing.M) {
	utilruntime.ErrorHandlers = nil
	m.Run()
}
