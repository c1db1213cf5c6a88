//go:build e2e

package e2e

import (
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// told are the events of a command as kind/name type, each of several in a row once.
func told(events []jsonEvent) []string {
	var all []string
	for _, e := range events {
		text := strings.ToLower(e.Object.Kind) + "/" + e.Object.Name + " " + e.Type
		switch e.Type {
		case "result":
			text += " " + e.Outcome
		case "config":
			text += " " + e.Change
		}
		if len(all) == 0 || all[len(all)-1] != text {
			all = append(all, text)
		}
	}
	return all
}

// tellsEvents expects of a command nothing but events on standard output, the last of them the result of an object.
func (s *space) tellsEvents(p *process, code int, last string) []jsonEvent {
	s.Helper()
	events := p.ends(code).events()
	for i, e := range events { // of all objects alike
		if e.SchemaVersion != 1 || e.Time.IsZero() || e.Object.APIVersion == "" || e.Object.Kind == "" || e.Object.Namespace != s.name || e.Object.Name == "" {
			s.Errorf("event %d: %+v", i, e)
		}
		if e.Type == "result" && (e.ExitCode == nil || e.Message == "") {
			s.Errorf("event %d: %+v", i, e)
		}
	}
	all := told(events)
	if len(all) == 0 || all[len(all)-1] != last || *events[len(events)-1].ExitCode != code {
		s.Fatalf("%v: the last event is not %q with %d\n%s", p.cmd.Args, last, code, p.output())
	}
	return events
}

// has expects these events in this order, with others in between.
func (s *space) has(events []jsonEvent, want ...string) {
	s.Helper()
	all, at := told(events), 0
	for _, text := range want {
		found := slices.Index(all[at:], text)
		if found < 0 {
			s.Fatalf("there is no %q after %q in\n%s", text, all[:at], strings.Join(all, "\n"))
		}
		at += found + 1
	}
}

// results are the last outcomes of all objects.
func results(events []jsonEvent) map[string]string {
	found := map[string]string{}
	for _, e := range events {
		if e.Type == "result" {
			found[strings.ToLower(e.Object.Kind)+"/"+e.Object.Name] = e.Outcome
		}
	}
	return found
}

func (s *space) expectResults(events []jsonEvent, want map[string]string) {
	s.Helper()
	if got := results(events); !maps.Equal(got, want) {
		s.Errorf("the results are %v, not %v", got, want)
	}
}

// shop has a workload of each kind with a variable from the ConfigMap settings, and a DaemonSet whose pods nobody replaces.
func (s *space) shop() {
	s.Helper()
	s.kubectl("create", "configmap", "settings", "--from-literal=color=blue")
	manual := strings.Replace(configuredNative("DaemonSet"), "RollingUpdate, rollingUpdate: {maxUnavailable: 100%}", "OnDelete", 1)
	for name, manifest := range map[string]string{
		"web": configuredNative("Deployment"), "db": configuredNative("StatefulSet"), "agent": configuredNative("DaemonSet"), "manual": manual,
		"once": strings.Replace(configuredNative("Deployment"), "replicas: 2", "replicas: 1\n  strategy: {type: Recreate}", 1),
	} {
		s.kubectl("create", "-f", s.write(s.dir(), name+".yaml", strings.ReplaceAll(manifest, "web", name)))
	}
	for _, object := range []string{"deployment/web", "deployment/once", "statefulset/db", "daemonset/agent"} {
		s.kubectl("rollout", "status", object)
	}
}

// A program reads of each object how a change of configuration goes with it, and at the end what became of the whole.
func TestConfigEvents(t *testing.T) {
	s := newSpace(t)
	s.shop()
	set := []string{"config", "set", "settings", "color=red", "--yes", "--steps", "100%", "-o", "json"}
	all := func(outcome string) map[string]string {
		return map[string]string{
			"configmap/settings": outcome, "deployment/web": outcome, "deployment/once": outcome, "statefulset/db": outcome,
			"daemonset/agent": outcome, "daemonset/manual": outcome,
		}
	}
	for _, dry := range []string{"client", "server"} {
		p := s.plugin(append(set, "--dry-run="+dry)...)
		events := s.tellsEvents(p, 0, "configmap/settings result planned")
		s.expectResults(events, all("planned"))
		s.has(events, "configmap/settings affected", "configmap/settings config planned", "statefulset/db result planned")
		if first := events[0]; !slices.Equal(first.ChangedKeys, []string{"color"}) || len(first.Workloads) != 5 || first.Workloads[0].Verdict != "restart" {
			t.Errorf("got %+v", first)
		}
		if dry == "server" {
			s.has(events, "deployment/web checks", "deployment/web plan", "configmap/settings config planned")
			s.has(events, "daemonset/agent checks", "daemonset/agent plan", "configmap/settings config planned")
		}
		s.expectColor(t, "blue")
	}
	p := s.plugin(set...)
	events := s.tellsEvents(p, 0, "configmap/settings result done")
	s.expectResults(events, all("done"))
	for _, steps := range []string{"deployment/web", "statefulset/db", "daemonset/agent"} {
		s.has(events, "configmap/settings affected", steps+" checks", "configmap/settings config changed", steps+" plan", steps+" step", steps+" progress", steps+" result done")
	}
	if !strings.Contains(p.errOut.String(), "configmap/settings changed\n") {
		t.Errorf("people are told less\n%s", p.output())
	}
	events = s.tellsEvents(s.plugin(set...), 0, "configmap/settings result unchanged")
	if len(events) != 1 {
		t.Errorf("more than a result is told: %v", told(events))
	}
	s.tellsEvents(s.plugin("config", "set", "nothing", "color=red", "--yes", "-o", "json"), 1, "configmap/nothing result error")
	s.tellsEvents(s.plugin("config", "set", "settings", "color-", "--yes", "-o", "json"), 1, "configmap/settings result error")
	s.plugin("config", "set", "settings", "color=red", "--yes", "-o", "yaml").ends(2, `--output "yaml": expected json`, "stdout: \n")
}

// What was rolled out before goes back, and so does the object: programs are told of both.
func TestConfigEventsOfAFailure(t *testing.T) {
	s := newSpace(t)
	p := s.secondFails(`"type":"rollback"`, "-o", "json")
	events := s.tellsEvents(p, 5, "configmap/settings result rolled-back")
	s.expectResults(events, map[string]string{"configmap/settings": "rolled-back", "deployment/web": "rolled-back", "deployment/zenith": "rolled-back"})
	s.has(events, "configmap/settings config changed", "deployment/web result done", "configmap/settings config changed", "deployment/zenith rollback",
		"deployment/zenith result rolled-back", "deployment/web rollback", "deployment/web step", "deployment/web result rolled-back")
	var hashes []string
	for _, e := range events {
		if e.Type == "config" {
			hashes = append(hashes, "settings-"+e.Hash)
		}
	}
	if want := []string{s.versionOfConfig("color=red"), s.versionOfConfig("color=blue")}; !slices.Equal(hashes, want) {
		t.Errorf("the object held %v, not %v", hashes, want)
	}
}

// So it is with all other commands that roll out workloads for their configuration, each of which ends with a result.
func TestEventsOfOtherConfigCommands(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"Deployment", "StatefulSet"} {
		t.Run(kind, func(t *testing.T) {
			s := newSpace(t)
			s.needy(kind)
			object := strings.ToLower(kind) + "/web"
			run := func(args ...string) *process {
				return s.beginWith([]string{"KUBE_EDITOR=sh -c 'echo about to edit; sed -i s/red/green/ \"$0\"'"},
					append(append([]string{"rollout-plus"}, args...), "-o", "json", "--steps", "100%")...)
			}
			manifest := s.write(s.dir(), "settings.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {color: red}}")
			for _, c := range []struct {
				args     []string
				tells    []string
				settings string
			}{
				{[]string{"config", "apply", "-f", manifest, "--yes"}, []string{"configmap/settings config changed", object + " result done", "configmap/settings result done"}, "red"},
				{[]string{"config", "edit", "settings", "--yes"}, []string{"configmap/settings config changed", object + " result done", "configmap/settings result done"}, "green"},
				{[]string{"config", "edit", "settings", "--yes"}, []string{"configmap/settings result unchanged"}, "green"},
				{[]string{"config", "attach", object, "--env-from-config", "extras", "--dry-run=server"}, []string{object + " checks", object + " plan", object + " result planned"}, "green"},
				{[]string{"config", "attach", object, "--env-from-config", "extras"}, []string{object + " checks", object + " plan", object + " result done"}, "green"},
				{[]string{"config", "attach", object, "--env-from-config", "nothing"}, []string{object + " result error"}, "green"},
				{[]string{"config", "attach", object + "-not", "--env-from-config", "extras"}, []string{object + "-not result error"}, "green"},
				{[]string{"config", "detach", object, "extras", "--dry-run=client"}, []string{object + " result planned"}, "green"},
				{[]string{"config", "detach", object, "extras"}, []string{object + " checks", object + " result done"}, "green"},
				{[]string{"restart", "--config", "settings"}, []string{"configmap/settings result unchanged"}, "green"},
				{[]string{"restart", "--stale"}, []string{"secret/login result unchanged", "configmap/settings result unchanged"}, "blue"},
				{[]string{"restart", "--config", "settings"}, []string{"configmap/settings affected", object + " result done", "configmap/settings result done"}, "blue"},
				{[]string{"restart", "--config", "nothing"}, []string{"configmap/nothing result error"}, "blue"},
			} {
				p := run(c.args...)
				code := 0
				if strings.HasSuffix(c.tells[len(c.tells)-1], " error") {
					code = 1
				}
				s.has(s.tellsEvents(p, code, c.tells[len(c.tells)-1]), c.tells...)
				if p.out.String() == "" || leaks(p.output()) {
					t.Errorf("%v\n%s", c.args, p.output())
				}
				if c.settings == "blue" {
					s.recolor("blue")
				}
				s.expectColor(t, c.settings)
			}
			s.plugin("restart", "--stale", "-o", "yaml").ends(2, `--output "yaml": expected json`)
		})
	}
}

// A watch tells programs of each rollout.
func TestWatchTellsEvents(t *testing.T) {
	w := watched(t)
	p := w.plugin("config", "watch", "settings", "--steps", "100%", "--debounce", "500ms", "-o", "json")
	p.tells("Ctrl-C ends it")
	p.tells("configmap/settings runs everywhere as it is")
	w.recolor("red")
	p.tells("configmap/settings rolled out")
	p.signal(syscall.SIGINT)
	events := w.tellsEvents(p, 0, "configmap/settings result done")
	w.has(events, "configmap/settings result unchanged", "configmap/settings affected", "deployment/web checks", "deployment/web plan", "deployment/web result done")
	w.runsWith("red", "3")
}
