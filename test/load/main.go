// Command load asks a URL from several workers at once, every time over a fresh connection, and tells how many answers
// failed. It is for looking at what a rollout does to a service: see docs/reliability.md. It exits with 1 if any failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"time"
)

func main() {
	url := flag.String("url", "", "what to ask")
	workers := flag.Int("workers", 4, "how many ask at once")
	gap := flag.Duration("gap", 5*time.Millisecond, "pause of a worker between two requests")
	limit := flag.Duration("for", 10*time.Minute, "how long, unless interrupted before")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, *limit)
	tally := run(ctx, *url, *workers, *gap)
	cancel()
	stop()
	_, _ = fmt.Fprintf(os.Stdout, "%d requests, %d failed, longest %s\n", tally.asked, tally.failed, tally.longest.Round(time.Millisecond))
	if tally.failed > 0 {
		_, _ = fmt.Fprintln(os.Stdout, "the first failure:", tally.first)
		os.Exit(1)
	}
}

// tally is what the workers saw.
type tally struct {
	mu            sync.Mutex
	asked, failed int
	longest       time.Duration
	first         error
}

func run(ctx context.Context, url string, workers int, gap time.Duration) *tally {
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	seen := &tally{}
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			ticker := time.NewTicker(gap)
			defer ticker.Stop()
			for ctx.Err() == nil {
				began := time.Now()
				// A request is let finish: one that is cut off at the end would count as failed.
				seen.add(ask(context.WithoutCancel(ctx), client, url), time.Since(began))
				select {
				case <-ticker.C:
				case <-ctx.Done():
				}
			}
		})
	}
	all.Wait()
	return seen
}

func ask(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it has been read, or has failed already
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", response.Status)
	}
	return nil
}

func (t *tally) add(err error, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked++
	t.longest = max(t.longest, took)
	if err != nil {
		if t.failed++; t.first == nil {
			t.first = err
		}
	}
}
