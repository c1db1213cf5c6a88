package configmap

import "strings"

// Expand replaces $(NAME) as Kubernetes does in command, args, env values and subPathExpr. $$ is a dollar sign, and a reference
// that is not closed stays as written. The value function also decides what an unknown name becomes.
func Expand(text string, value func(name string) string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		switch {
		case strings.HasPrefix(after, "$"):
			b.WriteString("$")
			text = after[1:]
		case strings.HasPrefix(after, "("):
			name, rest, closed := strings.Cut(after[1:], ")")
			if closed {
				b.WriteString(value(name))
				text = rest
			} else {
				b.WriteString("$(")
				text = after[1:]
			}
		default:
			b.WriteString("$")
			text = after
		}
	}
}
