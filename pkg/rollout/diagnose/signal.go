package diagnose

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// signal is one state of one object.
type signal struct {
	id, reason, message string
	object              Object
	uid                 types.UID
	pod                 *corev1.Pod
	container           string
	status              *corev1.ContainerStatus
	// since is when it began, zero where the objects do not tell.
	since time.Time
	// grace and why replace those of the catalog, also for what is fatal at once by that. now makes it fatal at once.
	grace time.Duration
	why   string
	now   bool
	// late is after how long a pod that is starting is late, which is told though it is not fatal yet.
	late time.Duration
	// endless only warns, whatever the cause's class: nothing says how long it may take.
	endless bool
	// node is that of a pod whose node is silent.
	node string
	// replaced is how many pods have ended alike and are mostly gone, and example the name of one; 0 for what else there is.
	replaced int
	example  string
	// subject is what is missing, by its name.
	subject  string
	evidence []string
	// flags are those of start that would avoid it.
	flags string
	attempt
	// proven tells of a container that it has ended often enough since the command began.
	proven bool
	// ended is how the container ended last, empty where it has not.
	ended string
}

// onlyWarns tells whether a signal is never fatal by itself.
func (s *signal) onlyWarns(cause Cause) bool { return s.endless || cause.Class == Warns }

// isFinal tells whether a signal is given no time.
func (s *signal) isFinal(cause Cause) bool { return s.grace == 0 && (s.now || cause.Class == EndsNow) }
