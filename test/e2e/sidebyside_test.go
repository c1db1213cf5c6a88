//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
)

// story is a course of commands that happens twice, with kubectl and with the plugin, on the same objects in two
// namespaces: after each command both must have told the same. One that only reads happens in one namespace, and both read
// the same objects. These are the commands:
//
//	rollout ...     `kubectl rollout ...` here, `kubectl rollout-plus ...` there
//	~rollout ...    the same, where the plugin may tell more: every line of kubectl's is in what it tells, in any order
//	make NAME EDIT  creates the workload by that name, from its manifest with this JSON merge patch
//	await TEXT      waits until kubectl's status of the workload x has this text
//	complete NAME   waits until kubectl's status of this workload is that it is done
//	anything else   a command of kubectl in both, which must succeed, and tell the same
//
// {} is the workload x as TYPE/NAME, {type} is its type. `< FILE` is where the standard input comes from. An argument
// with spaces stands in single quotes.
type story struct {
	name  string
	kinds []string
	steps []string
}

func workloads() []string { return []string{"deployment", "statefulset", "daemonset"} }

// tell runs the story for each kind, all in parallel.
func (s story) tell(t *testing.T) {
	for _, kind := range s.kinds {
		t.Run(s.name+"/"+kind, func(t *testing.T) {
			t.Parallel()
			p := &pair{T: t, kind: kind}
			p.sides[0] = newSide(t, kind, "rollout")
			if p.shared = s.onlyReads(); p.shared {
				plugins := *p.sides[0]
				plugins.rollout = "rollout-plus"
				p.sides[1] = &plugins
			} else {
				p.sides[1] = newSide(t, kind, "rollout-plus")
			}
			for _, step := range s.steps {
				p.take(step)
			}
			if !p.shared {
				p.compareObjects()
			}
		})
	}
}

// onlyReads reports whether no command of rollout changes anything.
func (s story) onlyReads() bool {
	return !slices.ContainsFunc(s.steps, func(step string) bool {
		args := strings.Fields(strings.TrimPrefix(step, "~"))
		return args[0] == "rollout" && args[1] != "status" && args[1] != "history"
	})
}

// pair is where a story happens.
type pair struct {
	*testing.T
	kind  string
	sides [2]*side // kubectl's and the plugin's
	// shared is set where both sides are one namespace.
	shared bool
}

// namespaces returns the sides that have a namespace to themselves.
func (p *pair) namespaces() []*side {
	if p.shared {
		return p.sides[:1]
	}
	return p.sides[:]
}

func (p *pair) take(step string) {
	p.Helper()
	step = strings.NewReplacer("{}", p.kind+"/x", "{type}", p.kind).Replace(step)
	verb, rest, _ := strings.Cut(step, " ")
	switch verb {
	case "make":
		name, edit, _ := strings.Cut(rest, " ")
		for _, side := range p.namespaces() {
			side.create(p.kind, name, edit)
		}
	case "await":
		for _, side := range p.namespaces() {
			side.await(p.kind, "x", rest)
		}
	case "complete":
		for _, side := range p.namespaces() {
			side.await(p.kind, rest, "")
		}
	case "rollout", "~rollout":
		p.compare(step, verb == "~rollout")
	default:
		kubectls := p.sides[0].must(words(step)...)
		if p.shared {
			break
		}
		if ours := p.sides[1].must(words(step)...); ours != kubectls {
			p.Errorf("kubectl %s: after the plugin's commands it tells\n%safter kubectl's\n%s", step, ours, kubectls)
		}
	}
	for _, side := range p.namespaces() {
		side.observed(p.kind)
	}
}

// compare runs a command of rollout on both sides. What only reads has three tries: kubectl's status may begin with what
// the API server's cache still holds.
func (p *pair) compare(step string, more bool) {
	p.Helper()
	args := words(strings.TrimPrefix(step, "~"))
	tries := 1
	if args[1] == "status" {
		tries = 3
	}
	for {
		tries--
		var answers [2]answer
		for i, side := range p.sides {
			answers[i] = side.run(append([]string{side.rollout}, args[1:]...)...)
		}
		kubectls, ours := answers[0], answers[1]
		same := ours.out == kubectls.out && ours.errOut == kubectls.errOut
		if more {
			same = includes(ours.out, kubectls.out) && includes(ours.errOut, kubectls.errOut)
		}
		if same && (ours.code == 0) == (kubectls.code == 0) {
			return
		}
		if tries == 0 {
			p.Errorf("%s\nkubectl: %sthe plugin: %s", step, kubectls, ours)
			return
		}
	}
}

// compareObjects expects the objects to be the same at the end, however each side has got there.
func (p *pair) compareObjects() {
	p.Helper()
	var specs [2]string
	for i, side := range p.sides {
		specs[i] = side.must("get", p.kind, "-o", `jsonpath={range .items[*]}{.metadata.name} {.metadata.annotations} {.spec}{"\n"}{end}`)
	}
	if specs[0] != specs[1] {
		p.Errorf("at the end the plugin has made\n%sand kubectl\n%s", specs[1], specs[0])
	}
}

// includes tells whether each line of part is in whole, where it may have more before and after it.
func includes(whole, part string) bool {
	for line := range strings.Lines(part) {
		line = strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "error: ")
		before, after, found := strings.Cut(whole, line)
		if !found {
			return false
		}
		whole = before + after
	}
	return true
}

// words splits a command line at its spaces, but for those in single quotes.
func words(line string) []string {
	var all []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			all = append(all, part)
			continue
		}
		all = append(all, strings.Fields(part)...)
	}
	return all
}
