// Package stream holds output streams that never stop the work, even if nobody reads them.
package stream

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// mostBacklog limits the text that waits for a reader, in bytes.
	mostBacklog = 1 << 20
	// readerPatience is how long a write waits for a slow reader. An interrupted command waits as long at its end.
	readerPatience = 500 * time.Millisecond
)

// Backlog is a stream whose writers do not wait for its reader. Once open, it writes in a goroutine of its own. So an idle
// pager or a stopped terminal does not stop a rollout. If too much waits, it drops the oldest text, so that the result at
// the end stays.
type Backlog struct {
	out   io.Writer
	clock clock.WithTicker
	// Gap returns the text to write in place of dropped texts. It may be nil.
	Gap func(count int) string
	// Full is called once, when the first text is dropped. It may be nil.
	Full func()

	mu      sync.Mutex
	waiting []*pending
	size    int
	leftOut int
	toldGap bool
	// behind is true from the time a writer has waited in vain until nothing waits any more.
	behind bool
	err    error
	// more wakes the goroutine. It is nil until the Backlog is opened. ended is closed when the goroutine ends.
	more  chan struct{}
	ended chan struct{}
	ends  bool
}

// pending is a text that waits. done is closed after the write, even if that failed, or when the text is left out.
type pending struct {
	text []byte
	done chan struct{}
}

// NewBacklog returns a stream that writes to out.
func NewBacklog(out io.Writer) *Backlog { return &Backlog{out: out, clock: clock.RealClock{}} }

// Unwrap returns the stream that the backlog writes to.
func (b *Backlog) Unwrap() io.Writer { return b.out }

// Open begins to write in the background. The backlog must be closed.
func (b *Backlog) Open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more == nil {
		b.more, b.ended = make(chan struct{}, 1), make(chan struct{})
		go b.run(b.more)
	}
}

// Close waits until everything is written. It gives up readerPatience after the end of the context.
func (b *Backlog) Close(ctx context.Context) {
	b.mu.Lock()
	more, ended := b.more, b.ended
	b.ends = true
	b.mu.Unlock()
	if more == nil {
		return
	}
	wake(more)
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	timer := b.clock.NewTimer(readerPatience)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C():
	}
}

// Write writes a text. If that takes too long, the goroutine writes it later. An error may belong to an earlier text.
func (b *Backlog) Write(text []byte) (int, error) {
	b.mu.Lock()
	if b.more == nil {
		defer b.mu.Unlock()
		return b.out.Write(text)
	}
	if b.err != nil {
		defer b.mu.Unlock()
		return 0, b.err
	}
	p := &pending{append([]byte(nil), text...), make(chan struct{})}
	full := b.add(p)
	behind, more := b.behind, b.more
	b.mu.Unlock()
	wake(more)
	if full != nil {
		full()
	}
	if !behind {
		b.await(p)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	return len(text), nil
}

// add queues a text, and drops the oldest ones while there is too much. It returns a function that the caller must call, or
// nil. The caller holds mu.
func (b *Backlog) add(p *pending) (full func()) {
	b.waiting, b.size = append(b.waiting, p), b.size+len(p.text)
	for b.size > mostBacklog && len(b.waiting) > 1 {
		close(b.take().done)
		b.leftOut++
		if !b.toldGap {
			b.toldGap, full = true, b.Full
		}
	}
	return full
}

// take removes the oldest text and returns it. The caller holds mu.
func (b *Backlog) take() *pending {
	p := b.waiting[0]
	b.waiting, b.size = b.waiting[1:], b.size-len(p.text)
	return p
}

// await waits until a text is written, but at most readerPatience.
func (b *Backlog) await(p *pending) {
	timer := b.clock.NewTimer(readerPatience)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C():
		b.mu.Lock()
		select {
		case <-p.done: // written just now
		default:
			b.behind = true
		}
		b.mu.Unlock()
	}
}

// run writes the waiting texts until the Backlog is closed.
func (b *Backlog) run(more <-chan struct{}) {
	defer close(b.ended)
	for {
		p, gap, ends := b.next()
		switch {
		case p != nil:
			b.write(p, gap)
		case ends:
			return
		default:
			<-more
		}
	}
}

// next returns the text to write, or nil if none waits. It also returns the text for a gap, and whether the Backlog is
// closed.
func (b *Backlog) next() (p *pending, gap string, ends bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.behind = false
		return nil, "", b.ends
	}
	if b.leftOut > 0 && b.Gap != nil {
		gap = b.Gap(b.leftOut)
	}
	b.leftOut = 0
	return b.take(), gap, false
}

// write writes a text. After an error, it writes nothing more.
func (b *Backlog) write(p *pending, gap string) {
	defer close(p.done)
	b.mu.Lock()
	failed := b.err != nil
	b.mu.Unlock()
	if failed {
		return
	}
	_, err := b.out.Write(append([]byte(gap), p.text...))
	b.mu.Lock()
	b.err = err
	b.mu.Unlock()
}

func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Gap returns the text for a gap of count texts that nobody has read.
func Gap(count int) string {
	return fmt.Sprintf("[%d messages are left out here: nobody read them in time]\n", count)
}
