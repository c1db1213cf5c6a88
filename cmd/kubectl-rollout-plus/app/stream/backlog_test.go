package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowReader is a reader that may stop reading.
type slowReader struct {
	mu   sync.Mutex
	read bytes.Buffer
	// goOn is closed when it reads on; nil while it reads.
	goOn chan struct{}
}

func (p *slowReader) Write(text []byte) (int, error) {
	p.mu.Lock()
	goOn := p.goOn
	p.mu.Unlock()
	if goOn != nil {
		<-goOn
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read.Write(text)
}

func (p *slowReader) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.goOn = make(chan struct{})
}

func (p *slowReader) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.goOn)
	p.goOn = nil
}

// Work does not wait for a reader that has stopped, and the last line is there when it reads on.
func TestWorkDoesNotWaitForItsReader(t *testing.T) {
	t.Parallel()
	for name, count := range map[string]int{"little": 100, "more than there is room for": 100_000} {
		synctest.Test(t, func(t *testing.T) {
			p, full := &slowReader{}, 0
			b := NewBacklog(p)
			b.Gap, b.Full = Gap, func() { full++ }
			b.Open()
			p.stop()
			began := time.Now()
			for i := range count {
				if _, err := fmt.Fprintf(b, "line %d, and some words that make it longer\n", i); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(began); took > readerPatience {
				t.Errorf("%s: the work waited for %s", name, took)
			}
			p.resume()
			b.Close(t.Context())
			lines := strings.Split(strings.TrimSpace(p.read.String()), "\n")
			if last := fmt.Sprintf("line %d, ", count-1); !strings.HasPrefix(lines[len(lines)-1], last) {
				t.Errorf("%s: the last line is %q", name, lines[len(lines)-1])
			}
			if isShort := len(lines) < count; isShort != (full == 1) || isShort != strings.Contains(p.read.String(), "are left out here") {
				t.Errorf("%s: %d lines of %d are there, and that was told %d times", name, len(lines), count, full)
			}
			if !strings.HasPrefix(lines[0], "line 0, ") {
				t.Errorf("%s: the first line is %q", name, lines[0])
			}
		})
	}
}

// A reader that keeps up has every text before the work goes on, so that two streams to one terminal stay in order.
func TestAReaderThatKeepsUpIsWaitedFor(t *testing.T) {
	t.Parallel()
	var both bytes.Buffer
	out, errOut := NewBacklog(&both), NewBacklog(&both)
	out.Open()
	errOut.Open()
	var want strings.Builder
	for i := range 200 {
		for _, b := range []io.Writer{out, errOut} {
			_, _ = fmt.Fprintf(io.MultiWriter(b, &want), "%d\n", i)
		}
	}
	out.Close(t.Context())
	errOut.Close(t.Context())
	if both.String() != want.String() {
		t.Error("the texts are out of order")
	}
}

// An interrupted command ends, whether anybody reads or not.
func TestAnInterruptedCommandDoesNotWaitForItsReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &slowReader{}
		b := NewBacklog(p)
		b.Open()
		p.stop()
		_, _ = fmt.Fprintln(b, "the end")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		if b.Close(ctx); time.Since(began) > readerPatience {
			t.Errorf("it waited for %s", time.Since(began))
		}
		p.resume()
		<-b.ended
	})
}

// broken is a stream that nobody can write to.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// Whoever writes learns that it cannot be written.
func TestABacklogTellsThatItCannotWrite(t *testing.T) {
	t.Parallel()
	b := NewBacklog(broken{})
	b.Open()
	for range 3 {
		if _, err := b.Write([]byte("text")); err == nil {
			t.Error("no error")
		}
	}
	b.Close(t.Context())
}
