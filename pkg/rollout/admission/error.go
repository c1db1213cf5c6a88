package admission

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/command"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/podtemplate"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// AlteredError reports that the API server stored something else than a write asked for, so that no rollout is
// possible.
type AlteredError struct {
	Fields []Field
	// After says what became of the write.
	After string
}

func (e *AlteredError) Error() string {
	told := make([]string, len(e.Fields))
	for i, field := range e.Fields {
		told[i] = field.String()
	}
	return fmt.Sprintf("an admission policy or webhook changes what is written: %s%s; %s lists those there are",
		strings.Join(told, ", "), e.After, command.Quoted("kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations"))
}

// TemplateFieldsSetBack returns the fields of the stored pod template that were set back to their old values. It ignores the
// values that the API server fills in.
func TemplateFieldsSetBack(before workload.Object, asked podtemplate.Template, stored map[string]any) ([]Field, error) {
	old, err := runtime.DefaultUnstructuredConverter.ToUnstructured(workload.TemplateOf(before))
	if err != nil {
		return nil, err
	}
	typed, err := asked.Typed() // stored lacks the fields that this client does not know, too
	if err != nil {
		return nil, err
	}
	wanted, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return nil, err
	}
	template, _, _ := unstructured.NestedMap(stored, "spec", "template")
	return SetBack("spec.template", podtemplate.Written(old), podtemplate.Written(wanted), podtemplate.Written(template)), nil
}
