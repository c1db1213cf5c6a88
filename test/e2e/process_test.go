//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// output collects what a process writes, and tells those who wait for it of every change.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
	return o.text.Write(p)
}

// read gives what there is so far, and a channel that is closed when there is more.
func (o *output) read() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return o.text.String(), o.changed
}

func (o *output) String() string {
	text, _ := o.read()
	return text
}

// process is a command that runs: kubectl, which becomes the plugin under the same process id.
type process struct {
	t           testing.TB
	cmd         *exec.Cmd
	out, errOut output
	done        chan struct{}
	err         error
}

// begin starts kubectl with these arguments.
func (s *space) begin(args ...string) *process {
	s.Helper()
	return s.beginWith(nil, args...)
}

// beginWith starts kubectl with further variables in its environment.
func (s *space) beginWith(variables []string, args ...string) *process {
	s.Helper()
	return s.run(exec.Command("kubectl", args...), variables)
}

// beginOn starts kubectl with a terminal for its standard input.
func (s *space) beginOn(terminal *os.File, args ...string) *process {
	s.Helper()
	cmd := exec.Command("kubectl", args...)
	cmd.Stdin = terminal
	return s.run(cmd, nil)
}

func (s *space) run(cmd *exec.Cmd, variables []string) *process {
	s.Helper()
	p := &process{t: s.TB, cmd: cmd, done: make(chan struct{})}
	p.cmd.Env = append(s.environment(), variables...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.errOut
	must(s.TB, p.cmd.Start())
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	s.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended, unless the test failed
		<-p.done
	})
	return p
}

// plugin starts `kubectl rollout-plus` with these arguments.
func (s *space) plugin(args ...string) *process {
	s.Helper()
	return s.begin(append([]string{"rollout-plus"}, args...)...)
}

func (p *process) signal(signal syscall.Signal) {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(signal))
}

// code waits for the process to end, and gives its exit code; that of a process that was killed is -1.
func (p *process) code() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("%v does not end\n%s", p.cmd.Args, p.output())
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		p.t.Fatalf("%v: %v", p.cmd.Args, p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// ends waits for the process to end with this exit code, and expects these texts in what it told.
func (p *process) ends(code int, texts ...string) *process {
	p.t.Helper()
	if got := p.code(); got != code {
		p.t.Fatalf("%v ended with exit code %d, not %d\n%s", p.cmd.Args, got, code, p.output())
	}
	told := p.output()
	for _, text := range texts {
		if unread := text == lastLines && strings.Contains(told, unreadLogs); !unread && !strings.Contains(told, text) {
			p.t.Fatalf("%v does not tell %q\n%s", p.cmd.Args, text, told)
		}
	}
	return p
}

const (
	// lastLines is in the log of a container that crashes, and unreadLogs is told where a machine that is busy has not answered
	// in time with it: reading a log must not hold the verdict up.
	lastLines  = "| fatal: config.yaml: unknown key"
	unreadLogs = "logs could not be read: there was no answer in time"
)

// tells waits until the process has told this text.
func (p *process) tells(text string) {
	p.t.Helper()
	alarm := time.After(patience)
	for {
		out, outChanged := p.out.read()
		errOut, errChanged := p.errOut.read()
		if strings.Contains(out, text) || strings.Contains(errOut, text) {
			return
		}
		select {
		case <-outChanged:
		case <-errChanged:
		case <-p.done:
			// What it told last may have come between the reading and the end.
			if told := p.output(); !strings.Contains(told, text) {
				p.t.Fatalf("%v ended without telling %q\n%s", p.cmd.Args, text, told)
			}
			return
		case <-alarm:
			p.t.Fatalf("%v does not tell %q\n%s", p.cmd.Args, text, p.output())
		}
	}
}

func (p *process) output() string {
	return "stdout: " + p.out.String() + "\nstderr: " + p.errOut.String()
}

// tellsAs tells whether the plugin tells what kubectl does: the same results, and errors that begin with kubectl's words.
func (p *process) tellsAs(kubectls *process) bool {
	ours, theirs := strings.Split(withoutWay(p.errOut.String()), "\n"), strings.Split(kubectls.errOut.String(), "\n")
	for i := range theirs {
		if len(ours) != len(theirs) || !strings.HasPrefix(ours[i], theirs[i]) {
			return false
		}
	}
	return p.out.String() == kubectls.out.String()
}

// kubectl runs a command that must succeed.
func (s *space) kubectl(args ...string) string {
	s.Helper()
	return s.begin(args...).ends(0).out.String()
}

// jsonEvent is a line of -o json, by the names that the documentation promises.
type jsonEvent struct {
	SchemaVersion int       `json:"schemaVersion"`
	Time          time.Time `json:"time"`
	Type          string    `json:"type"`
	Object        struct {
		APIVersion, Kind, Namespace, Name string
	} `json:"object"`
	Step, Steps, Target, New, NewReady, Old, OldReady, Total, Ready *int
	Message                                                         string
	Outcome                                                         string
	ExitCode                                                        *int
	Change, Hash                                                    string
	ChangedKeys                                                     []string
	Workloads                                                       []struct{ Kind, Name, Verdict string }
	Plan                                                            []struct{ Step, New, Old, MaxTotal, MinAvailable int }
	Finding                                                         *struct {
		Reason, Pod, Container string
		ExitCode               *int
		Logs, Evidence         []string
	}
	Availability *struct {
		LowestReady, Floor, HighestTotal, Ceiling int
		DurationSeconds                           float64
		Steps                                     []struct{ Step, Target int }
	}
}

// events reads standard output as JSON, an event per line.
func (p *process) events() []jsonEvent {
	p.t.Helper()
	var events []jsonEvent
	for line := range strings.Lines(p.out.String()) {
		var event jsonEvent
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			p.t.Fatalf("not an event: %q: %v", line, err)
		}
		events = append(events, event)
	}
	return events
}
