package main

import (
	"strconv"
	"strings"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// exitCodes returns the table of exit codes.
func exitCodes() string {
	rows := [][]string{{"code", "meaning", "what to do"}}
	for _, c := range cli.ExitCodes() {
		rows = append(rows, []string{strconv.Itoa(c.Code), c.Name + ": " + c.Meaning, c.Next})
	}
	return table(rows)
}

// outcomes returns the table of outcomes, with the exit codes that they lead to.
func (s *sources) outcomes() (string, error) {
	d, err := s.of("pkg/rollout")
	if err != nil {
		return "", err
	}
	rows := [][]string{{"outcome", "meaning", "exit code"}}
	for _, c := range d.constants["Outcome"] {
		codes, back := codesOf(c.value, false), codesOf(c.value, true)
		if codes != back {
			codes += "; " + back + " for `abort` and `undo`"
		}
		rows = append(rows, []string{"`" + c.value + "`", meaning(c.comment, c.name), codes})
	}
	return table(rows), nil
}

func codesOf(outcome string, goesBack bool) string {
	var texts []string
	for _, code := range cli.OutcomeCodes(rollout.Outcome(outcome), goesBack) {
		texts = append(texts, strconv.Itoa(code))
	}
	return strings.Join(texts, ", ")
}
