package app

import (
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

const (
	// credentialPause is the first pause after credentials could not be had, or were refused. It doubles up to
	// mostCredentialPause.
	credentialPause     = time.Second
	mostCredentialPause = 30 * time.Second
)

// credentialPacer spares a program that gives credentials and fails. client-go runs it for every request, and several watches
// and writes are tried again at the same time: while it fails, one request at a time goes through, ever more seldom.
type credentialPacer struct {
	next  http.RoundTripper
	clock clock.Clock

	mu       sync.Mutex
	failures int
	until    time.Time
	// probe holds one token, for the request that finds out whether it works again.
	probe chan struct{}
}

func newCredentialPacer(next http.RoundTripper, c clock.Clock) *credentialPacer {
	return &credentialPacer{next: next, clock: c, probe: make(chan struct{}, 1)}
}

// RoundTrip makes a request.
func (p *credentialPacer) RoundTrip(request *http.Request) (*http.Response, error) {
	probing := p.failed()
	if probing {
		select {
		case p.probe <- struct{}{}:
			defer func() { <-p.probe }()
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
		if err := p.wait(request); err != nil {
			return nil, err
		}
	}
	response, err := p.next.RoundTrip(request)
	p.note(probing, rollout.IsCredentialError(err) || err == nil && response.StatusCode == http.StatusUnauthorized)
	return response, err
}

func (p *credentialPacer) failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures > 0
}

// wait waits for the end of the pause, or of the request.
func (p *credentialPacer) wait(request *http.Request) error {
	p.mu.Lock()
	left := p.until.Sub(p.clock.Now())
	p.mu.Unlock()
	if left <= 0 {
		return nil
	}
	timer := p.clock.NewTimer(left)
	defer timer.Stop()
	select {
	case <-request.Context().Done():
		return request.Context().Err()
	case <-timer.C():
		return nil
	}
}

// note keeps what came of a request. Of those that were under way together at first, one counts.
func (p *credentialPacer) note(probing, failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	switch {
	case !failed:
		p.failures = 0
	case probing || p.failures == 0:
		p.until = now.Add(min(credentialPause<<min(p.failures, 10), mostCredentialPause))
		p.failures++
	}
}

// WrappedRoundTripper is what client-go looks for under a transport.
func (p *credentialPacer) WrappedRoundTripper() http.RoundTripper { return p.next }
