package rollback

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func TestTemplateOfPatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind types.PatchType
		body string
		want string
	}{
		"of a Deployment":          {types.JSONPatchType, `[{"op":"replace","path":"/spec/template","value":` + templateV1 + `},{"op":"replace","path":"/metadata/annotations","value":{}}]`, "web:v1"},
		"of others":                {types.StrategicMergePatchType, `{"spec":{"template":{"$patch":"replace","spec":{"containers":[{"name":"app","image":"web:v1"}]}}}}`, "web:v1"},
		"none of a Deployment":     {types.JSONPatchType, `[]`, ""},
		"none of others":           {types.StrategicMergePatchType, `{"spec":{}}`, ""},
		"unreadable":               {types.JSONPatchType, `{`, ""},
		"unreadable, of others":    {types.StrategicMergePatchType, `[`, ""},
		"a template that is wrong": {types.JSONPatchType, `[{"op":"replace","path":"/spec/template","value":1}]`, ""},
	} {
		template, err := templateOfPatch(c.kind, []byte(c.body))
		if c.want == "" && err == nil || c.want != "" && (err != nil || template.Spec.Containers[0].Image != c.want) {
			t.Errorf("%s: %v, %v", name, template, err)
		}
	}
}
