package apiserver

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"
)

// A program that fails to give credentials is run some times in a minute, however many ask, and at once when it works again.
func TestFailingCredentialsAreAskedForSeldom(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func() (*http.Response, error){
		"the program fails": func() (*http.Response, error) {
			return nil, errors.New("getting credentials: exec: executable aws failed with exit code 1")
		},
		"what it gives is no use": func() (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusUnauthorized, Body: http.NoBody}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				calls, works := 0, false
				p := newCredentialPacer(roundTripper(func(*http.Request) (*http.Response, error) {
					mu.Lock()
					defer mu.Unlock()
					if calls++; works {
						return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
					}
					return fails()
				}), clock.RealClock{})
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://cluster", http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				var watches sync.WaitGroup
				for range 3 {
					watches.Go(func() {
						for ctx.Err() == nil {
							response, err := p.RoundTrip(request)
							if err == nil {
								_ = response.Body.Close() // there is none
							}
							if err == nil && response.StatusCode == http.StatusOK {
								return
							}
							time.Sleep(200 * time.Millisecond)
						}
					})
				}
				watches.Wait()
				if calls < 5 || calls > 10 || ctx.Err() == nil {
					t.Errorf("asked %d times in a minute", calls)
				}
				works = true
				began := time.Now()
				response, err := p.RoundTrip(request.WithContext(t.Context()))
				if err == nil {
					_ = response.Body.Close() // there is none
				}
				if err != nil || response.StatusCode != http.StatusOK || time.Since(began) > mostCredentialPause || p.failed() {
					t.Errorf("%v, %v after %s", response, err, time.Since(began))
				}
			})
		})
	}
}
