// Package apiserver holds what every request to the API server passes: its clock, deadlines, credentials and the log.
package apiserver

import (
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap/store"
)

// Clock is a clock with the API server's time. Readiness is judged by the cluster's time stamps, and a laptop's clock
// may be minutes off.
type Clock struct {
	clock.RealClock
	// made is when the process began, by this machine's clock.
	made   time.Time
	mu     sync.Mutex
	offset time.Duration
}

// NewClock returns a clock that shows this machine's time until the API server has answered.
func NewClock() *Clock { return &Clock{made: time.Now()} }

// Began returns when the process began, in the API server's time as far as that is known by now.
func (c *Clock) Began() time.Time { return c.at(c.made) }

// Now returns this machine's time, corrected if it is far from the API server's.
func (c *Clock) Now() time.Time { return c.at(c.RealClock.Now()) }

func (c *Clock) at(moment time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.offset.Abs() < store.ClockTolerance {
		return moment
	}
	return moment.Add(c.offset)
}

// Since returns the time from then to Now.
func (c *Clock) Since(then time.Time) time.Duration { return c.Now().Sub(then) }

// Watch updates the offset from the Date header of every answer.
func (c *Clock) Watch(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(request)
		if err == nil {
			if date, dateErr := http.ParseTime(response.Header.Get("Date")); dateErr == nil {
				c.mu.Lock()
				c.offset = date.Sub(c.RealClock.Now())
				c.mu.Unlock()
			}
		}
		return response, err
	})
}
