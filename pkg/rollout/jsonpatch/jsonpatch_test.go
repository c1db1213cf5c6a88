package jsonpatch

import (
	"encoding/json"
	"testing"
)

func TestOperationsReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	const text = `[{"op":"test","path":"/a","value":12345678901234567890},{"op":"add","path":"/b","value":{"z":1,"a":2}},{"op":"remove","path":"/c"},` +
		`{"op":"add","path":"/d","value":null}]`
	var operations []Operation
	if err := json.Unmarshal([]byte(text), &operations); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(operations); err != nil || string(got) != text {
		t.Errorf("got  %s\nwant %s (%v)", got, text, err)
	}
	if err := json.Unmarshal([]byte(`[{"op":1}]`), &operations); err == nil {
		t.Error("an operation that is no text was read")
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	var operations []Operation
	if err := json.Unmarshal([]byte(`[{"op":"add","path":"/a","value":{"b":"c"}},{"op":"remove","path":"/a"}]`), &operations); err != nil {
		t.Fatal(err)
	}
	var value map[string]string
	if err := operations[0].Decode(&value); err != nil || value["b"] != "c" {
		t.Errorf("got %v, %v", value, err)
	}
	if err := operations[1].Decode(&value); err == nil {
		t.Error("a value was read where there is none")
	}
}

func TestEscaped(t *testing.T) {
	t.Parallel()
	if got := Escaped("x/y~z"); got != "x~1y~0z" {
		t.Errorf("got %s", got)
	}
}
