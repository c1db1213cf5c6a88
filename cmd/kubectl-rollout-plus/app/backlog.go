package app

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

const (
	// mostBacklog bounds, in bytes, what waits for a reader.
	mostBacklog = 1 << 20
	// readerPatience is how long work waits for a reader that is slow, and an interrupted command at its end.
	readerPatience = 500 * time.Millisecond
)

// backlog is a stream whose writers do not wait for its reader. Once it is opened, a goroutine of its own writes: a pager that is
// left alone, or a terminal that is stopped, does not stop a rollout. Where too much waits, the oldest text is left out, so that
// the result at the end stays.
type backlog struct {
	out   io.Writer
	clock clock.WithTicker
	// gap returns what is written in the place of texts that are left out. It may be nil.
	gap func(count int) string
	// full is called once, when the first text is left out. It may be nil.
	full func()

	mu      sync.Mutex
	waiting []*pending
	size    int
	leftOut int
	toldGap bool
	// behind is true from when a writer has waited in vain until nothing waits any more.
	behind bool
	err    error
	// more wakes the goroutine; nil while there is none. ended is closed at its end.
	more  chan struct{}
	ended chan struct{}
	ends  bool
}

// pending is a text that waits. Its channel is closed when it was written or left out.
type pending struct {
	text []byte
	done chan struct{}
}

func newBacklog(out io.Writer) *backlog { return &backlog{out: out, clock: clock.RealClock{}} }

// Unwrap returns what it writes to.
func (b *backlog) Unwrap() io.Writer { return b.out }

// open begins to write in the background. The backlog must be closed.
func (b *backlog) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.more == nil {
		b.more, b.ended = make(chan struct{}, 1), make(chan struct{})
		go b.run(b.more)
	}
}

// close waits until all is written, for as long as the context lasts and a moment more.
func (b *backlog) close(ctx context.Context) {
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

// Write writes a text, or leaves it to the goroutine where that takes too long. An error may be that of an earlier text.
func (b *backlog) Write(text []byte) (int, error) {
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

// add queues a text, and leaves out the oldest while there is too much. It returns what is to be called then. It needs mu.
func (b *backlog) add(p *pending) (full func()) {
	b.waiting, b.size = append(b.waiting, p), b.size+len(p.text)
	for b.size > mostBacklog && len(b.waiting) > 1 {
		b.take()
		b.leftOut++
		if !b.toldGap {
			b.toldGap, full = true, b.full
		}
	}
	return full
}

// take takes the oldest text off. It needs mu.
func (b *backlog) take() *pending {
	p := b.waiting[0]
	b.waiting, b.size = b.waiting[1:], b.size-len(p.text)
	return p
}

// await waits until a text is written, but not for long.
func (b *backlog) await(p *pending) {
	timer := b.clock.NewTimer(readerPatience)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C():
		b.mu.Lock()
		select {
		case <-p.done: // just now
		default:
			b.behind = true
		}
		b.mu.Unlock()
	}
}

// run writes what waits until the backlog is closed.
func (b *backlog) run(more <-chan struct{}) {
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

// next returns the text to write, nil where none waits, and whether the backlog is closed.
func (b *backlog) next() (p *pending, gap string, ends bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.behind = false
		return nil, "", b.ends
	}
	if b.leftOut > 0 && b.gap != nil {
		gap = b.gap(b.leftOut)
	}
	b.leftOut = 0
	return b.take(), gap, false
}

// write writes a text. After an error nothing more is written.
func (b *backlog) write(p *pending, gap string) {
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

// unread says how many texts nobody has read.
func unread(count int) string {
	return fmt.Sprintf("[%d messages are left out here: nobody read them in time]\n", count)
}
