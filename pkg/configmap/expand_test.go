package configmap

import "testing"

// TestExpand follows the documented rules and the kubelet's own tests of them.
func TestExpand(t *testing.T) {
	t.Parallel()
	values := map[string]string{"A": "1", "B": "$(A)", "EMPTY": "", "a.b-c": "dots", "$(A": "odd"}
	for text, want := range map[string]string{
		"":               "",
		"plain":          "plain",
		"$(A)":           "1",
		"--x=$(A).$(A)":  "--x=1.1",
		"$(B)":           "$(A)", // a value is not expanded again
		"$(EMPTY)":       "",
		"$(a.b-c)":       "dots",
		"$(MISSING)":     "$(MISSING)",
		"$$(A)":          "$(A)",
		"$$$(A)":         "$1",
		"$$$$(A)":        "$$(A)",
		"$":              "$",
		"$$":             "$",
		"a$":             "a$",
		"$A":             "$A",
		"${A}":           "${A}",
		"$(A":            "$(A",
		"$(A $(A)":       "$(A $(A)", // the name is all up to the first bracket
		"x $(":           "x $(",
		"$()":            "$()",
		"$é$(A)":         "$é1",
		"$($(A)":         "odd",
		"$(A)$(MISSING)": "1$(MISSING)",
	} {
		got := Expand(text, func(name string) string {
			if value, found := values[name]; found {
				return value
			}
			return "$(" + name + ")"
		})
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
