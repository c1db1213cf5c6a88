package store

import (
	"encoding/json"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// Note is what an open rollout remembers of the change of configuration that began it. Whoever rolls back can then
// give the object its old content, even if the command that made the change is gone.
type Note struct {
	Kind configmap.Kind `json:"kind"`
	Name string         `json:"name"`
	// Before and After are the names of versions with the object's content before and after the change.
	Before string `json:"before"`
	After  string `json:"after"`
	// Done and Rest name the workloads that are rolled out before and after this one.
	Done []string `json:"done,omitempty"`
	Rest []string `json:"rest,omitempty"`
}

// Head returns the object that was changed.
func (n *Note) Head() configmap.Object { return configmap.Object{Kind: n.Kind, Name: n.Name} }

// Version returns the version with a name.
func (n *Note) Version(name string) configmap.Object {
	return configmap.Object{Kind: n.Kind, Name: name}
}

// NoteOf returns the note of a rollout, or nil if no change of configuration began it.
func NoteOf(record *rollout.Record) *Note {
	if record == nil || len(record.Note) == 0 {
		return nil
	}
	var note Note
	if err := json.Unmarshal(record.Note, &note); err != nil || note.Name == "" || note.Before == "" || note.After == "" {
		return nil
	}
	return &note
}
