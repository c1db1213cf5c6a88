// Package event holds what happens while configuration is read and changed, for people and for programs. Types only.
package event

import (
	"fmt"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// Event is one thing that happened.
type Event interface{ isEvent() }

// Sink takes events in the order in which they happen. It does not wait for anybody.
type Sink func(Event)

// Note is a line for people.
type Note struct {
	Text string
	// Once keeps a line from being told again.
	Once bool
}

// Change is what became of an object.
type Change string

// The changes of an object. Planned stands for a write that a dry run leaves out.
const (
	Created Change = "created"
	Changed Change = "changed"
	Deleted Change = "deleted"
	Planned Change = "planned"
)

// Written is an object that was written, or that would be.
type Written struct {
	Object    configmap.Object
	Namespace string
	Change    Change
	// Hash is the hash in the name of the version with the content. It is empty if there is none.
	Hash string
}

func (Note) isEvent()    {}
func (Written) isEvent() {}

// Note emits a line for people. A nil sink drops it.
func (s Sink) Note(format string, args ...any) {
	s.Emit(Note{Text: fmt.Sprintf(format, args...)})
}

// NoteOnce emits a line that people need only once.
func (s Sink) NoteOnce(format string, args ...any) {
	s.Emit(Note{Text: fmt.Sprintf(format, args...), Once: true})
}

// Emit emits an event. A nil sink drops it.
func (s Sink) Emit(event Event) {
	if s != nil {
		s(event)
	}
}
