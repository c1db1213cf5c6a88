package printers

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// affected has every verdict in it.
func affected() *Affected {
	return &Affected{
		SchemaVersion: SchemaVersion, Config: Config{"ConfigMap", "web"}, ChangedKeys: []string{"color", "motd"}, Proposed: true,
		Workloads: []AffectedWorkload{
			{Kind: "CronJob", Name: "nightly", Verdict: "unsupported", Note: "its next run takes it", Reasons: []AffectedReason{
				{Container: "app", Source: "envFrom", Key: "color", Variable: "color", Reason: "changes"},
			}},
			{Kind: "Deployment", Name: "api", Verdict: "block", Reasons: []AffectedReason{
				{Container: "app", Source: "env", Key: "motd", Variable: "MOTD", Reason: "couldn't find key motd in configmap/web"},
				{Container: "app", Source: "args", Key: "motd", Variable: "MOTD", Reason: "goes away"},
			}},
			{Kind: "Deployment", Name: "files", Verdict: "live", Reasons: []AffectedReason{
				{Container: "app", Source: "volume", Key: "color", Path: "/etc/app/color", Reason: "changes"},
			}},
			{Kind: "Deployment", Name: "web", Verdict: "restart", Reasons: []AffectedReason{
				{Container: "app", Source: "env", Key: "color", Variable: "COLOR", Reason: "changes"},
				{Container: "app", Source: "args", Key: "color", Variable: "COLOR", Reason: "changes"},
				{Container: "side", Source: "subPath", Key: "color", Variable: "FILE", Path: "/etc/<side>", Reason: "changes"},
			}},
			{Kind: "StatefulSet", Name: "db", Verdict: "none", Note: "no container sees what changes", Reasons: []AffectedReason{}},
		},
	}
}

func TestAffected(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(io.Writer, *Affected) error{
		"affected.txt": AffectedTable, "affected-wide.txt": AffectedWide, "affected.json": AffectedJSON,
	} {
		var out bytes.Buffer
		if err := write(&out, affected()); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
	}
}

func TestAffectedHeading(t *testing.T) {
	t.Parallel()
	config := Config{"Secret", "login"}
	for want, a := range map[string]*Affected{
		"secret/login: what a change of every key would touch":      {Config: config, ChangedKeys: []string{"a"}},
		"secret/login: no key changes, this is what it has already": {Config: config, Proposed: true},
		"secret/login: 1 key changes: a":                            {Config: config, Proposed: true, ChangedKeys: []string{"a"}},
		"secret/login: 2 keys change: a, b":                         {Config: config, Proposed: true, ChangedKeys: []string{"a", "b"}},
	} {
		if got := a.heading(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestAffectedFitsAnEightyColumnTerminal with names of usual length; the longest names there can be are not cut.
func TestAffectedFitsAnEightyColumnTerminal(t *testing.T) {
	t.Parallel()
	a := affected()
	a.ChangedKeys = strings.Fields(strings.Repeat("some.key ", 40))
	a.Workloads[3].Reasons[0].Path = "/" + strings.Repeat("x", 200)
	var out bytes.Buffer
	if err := AffectedTable(&out, a); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	long := strings.Repeat("n", 253)
	a.Workloads[0].Name = long
	out.Reset()
	if err := AffectedTable(&out, a); err != nil || !strings.Contains(out.String(), long) || !strings.Contains(out.String(), "(+2 more)") {
		t.Errorf("%v: %s", err, &out)
	}
}
