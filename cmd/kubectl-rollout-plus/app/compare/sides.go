package compare

import (
	"cmp"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
)

// ConfigSide is one side of a comparison.
type ConfigSide struct {
	Name    string
	Content *configmap.Content
}

// Side is one of two templates to compare. Number is 0 for the workload's own template if that has no revision yet.
type Side struct {
	Number   int64
	Template map[string]any
	// Revision is the UID of the ReplicaSet or ControllerRevision, or "" if there is none.
	Revision types.UID
}

// String returns a name such as "revision 3".
func (s Side) String() string {
	if s.Number == 0 {
		return "the template that is not rolled out yet"
	}
	return fmt.Sprintf("revision %d", s.Number)
}

// Templates compares the two templates as people write them.
func Templates(object string, from, to Side) (Comparison, error) {
	texts := make([]printers.Text, 2)
	for i, of := range []Side{from, to} {
		body, err := yaml.Marshal(podtemplate.Written(of.Template))
		if err != nil {
			return Comparison{}, err
		}
		name := fmt.Sprintf("%s revision %d", object, of.Number)
		if of.Number == 0 {
			name = object + " not rolled out yet"
		}
		texts[i] = printers.Text{Name: name, Body: body}
	}
	return Comparison{From: texts[0], To: texts[1], extension: ".yaml"}, nil
}

// Contents compares two contents in the text form for people. It treats nil as empty.
func Contents(kind configmap.Kind, from, to ConfigSide) Comparison {
	from.Content, to.Content = cmp.Or(from.Content, &configmap.Content{}), cmp.Or(to.Content, &configmap.Content{})
	return Comparison{
		From:      printers.Text{Name: from.Name, Body: from.Content.Shown(kind, to.Content, "before")},
		To:        printers.Text{Name: to.Name, Body: to.Content.Shown(kind, from.Content, "after")},
		extension: ".txt",
	}
}
