package configuration

import (
	"encoding/json"
	"fmt"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

// note returns the note for the rollout of the workload at an index of c.out. It returns nil if the object's old content is
// not kept, since there is no way back then.
func (c *Changer) note(at int) json.RawMessage {
	if c.before == nil {
		return nil
	}
	head := c.Head.Object
	note := store.Note{Kind: head.Kind, Name: head.Name, Before: c.before.Object.Name, After: c.pin.Versions[head].Object.Name}
	note.Done, note.Rest = namesOf(c.out[:at]), namesOf(c.out[at+1:])
	text, _ := json.Marshal(note) // encoding strings always works
	return text
}

// namesOf returns the names of at most 10 workloads, so that they fit into an annotation, and the number of the others.
func namesOf(workloads []*affectedWorkload) []string {
	const most = 10
	var names []string
	for i, w := range workloads {
		if i == most {
			return append(names, fmt.Sprintf("%d more", len(workloads)-most))
		}
		names = append(names, cli.NameOf(w.workload))
	}
	return names
}
