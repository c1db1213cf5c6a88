package admission

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func decoded(t *testing.T, text string) any {
	t.Helper()
	if text == "" {
		return nil
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

func told(fields []Field) string {
	lines := make([]string, len(fields))
	for i, f := range fields {
		lines[i] = f.String()
	}
	return strings.Join(lines, "; ")
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ asked, stored, want string }{
		{`{"type":"OnDelete"}`, `{"type":"OnDelete","rollingUpdate":null}`, ""},
		{`{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}`, `{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}`, ""},
		{`{"rollingUpdate":{"maxSurge":1}}`, `{"rollingUpdate":{"maxSurge":"25%"}}`, `s.rollingUpdate.maxSurge was stored as "25%" instead of 1`},
		{`2147483646`, `10`, `s was stored as 10 instead of 2147483646`},
		{`{"a":1}`, `{}`, "s.a was removed"},
		{`{"a":0,"b":""}`, `{}`, ""},
		{`0`, ``, ""},
		{`[{"port":80}]`, `[{"port":80,"protocol":"TCP"}]`, ""},
		{`[{"port":80},{"port":81}]`, `[{"port":80},{"port":82}]`, "s[1].port was stored as 82 instead of 81"},
		{`[{"port":80}]`, `[{"port":80},{"port":81}]`, `s was stored as [{"port":80},{"port":81}] instead of [{"port":80}]`},
		{`["a","b"]`, `["a","c"]`, `s was stored as ["a","c"] instead of ["a","b"]`},
		{`{"a":1}`, ``, "s.a was removed"},
	} {
		if got := told(Missing("s", decoded(t, c.asked), decoded(t, c.stored))); got != c.want {
			t.Errorf("%s, %s: got %q, want %q", c.asked, c.stored, got, c.want)
		}
	}
}

func TestSetBack(t *testing.T) {
	t.Parallel()
	const one = `{"containers":[{"name":"app","image":"web:v1"}]}`
	for name, c := range map[string]struct{ before, asked, stored, want string }{
		"as asked":  {one, `{"containers":[{"name":"app","image":"web:v2"}]}`, `{"containers":[{"name":"app","image":"web:v2"}]}`, ""},
		"set back":  {one, `{"containers":[{"name":"app","image":"web:v2"}]}`, one, `t.containers[app].image was stored as "web:v1" instead of "web:v2"`},
		"a mirror":  {one, `{"containers":[{"name":"app","image":"web:v2"}]}`, `{"containers":[{"name":"app","image":"mirror/web:v2"}]}`, ""},
		"a sidecar": {one, `{"containers":[{"name":"app","image":"web:v2"}]}`, `{"containers":[{"name":"app","image":"web:v2"},{"name":"proxy"}]}`, ""},
		"a label":   {one, `{"containers":[{"name":"app","image":"web:v2"}]}`, `{"l":{"a":"b"},"containers":[{"name":"app","image":"web:v2"}]}`, ""},
		"not of one": {
			one, `{"containers":[{"name":"app","image":"web:v2","env":[{"name":"A"}]}]}`, `{"containers":[{"name":"app","image":"web:v2"}]}`,
			"t.containers[app].env[A].name was removed",
		},
		"an annotation": {
			`{"annotations":{"a.b/c":"1"}}`, `{"annotations":{"a.b/c":"2"}}`, `{"annotations":{"a.b/c":"1"}}`,
			`t.annotations[a.b/c] was stored as "1" instead of "2"`,
		},
		"the first annotation": {`{}`, `{"annotations":{"a.b/c":"2"}}`, `{}`, "t.annotations[a.b/c] was removed"},
		"a removal": {
			`{"env":[{"name":"A","value":"1"}]}`, `{}`, `{"env":[{"name":"A","value":"1"}]}`,
			`t.env[A].name was set to "A"; t.env[A].value was set to "1"`,
		},
		"a removal in favour of others": {`{"env":[{"name":"A"}]}`, `{}`, `{"env":[{"name":"B"}]}`, ""},
		"a list of words":               {`{"args":["a"]}`, `{"args":["b"]}`, `{"args":["a"]}`, `t.args was stored as ["a"] instead of ["b"]`},
	} {
		if got := told(SetBack("t", decoded(t, c.before), decoded(t, c.asked), decoded(t, c.stored))); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// What is stored as it was asked for is never told, and what is stored as it was before always is.
func TestSetBackOfAnyChange(t *testing.T) {
	t.Parallel()
	value := rapid.Custom(func(t *rapid.T) any {
		object := map[string]any{}
		for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d.e"}), 0, 3, rapid.ID[string]).Draw(t, "keys") {
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				object[key] = rapid.IntRange(0, 2).Draw(t, "number")
			case 1:
				object[key] = []any{map[string]any{"name": "x", "v": rapid.IntRange(0, 2).Draw(t, "v")}}
			default:
				object[key] = map[string]any{"n": rapid.IntRange(0, 2).Draw(t, "n")}
			}
		}
		return object
	})
	rapid.Check(t, func(t *rapid.T) {
		before, asked := value.Draw(t, "before"), value.Draw(t, "asked")
		if fields := SetBack("t", before, asked, asked); len(fields) > 0 {
			t.Fatalf("stored as asked: %v", fields)
		}
		same := slices.Equal(keysAndValues(before), keysAndValues(asked))
		if fields := SetBack("t", before, asked, before); same != (len(fields) == 0) {
			t.Fatalf("stored as before: %v", fields)
		}
	})
}

func keysAndValues(value any) []byte {
	encoded, _ := json.Marshal(value)
	return encoded
}
