package apiserver

import (
	"net/http"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/kube"
)

const (
	// credentialPause is the first pause after credentials could not be obtained or were refused. It doubles up to
	// mostCredentialPause.
	credentialPause     = time.Second
	mostCredentialPause = 30 * time.Second
)

// credentialPacer limits calls of a failing credential helper. client-go runs the helper for every request, and several
// watches and writes are retried at the same time. While it fails, only one request at a time goes through, after longer
// and longer pauses.
type credentialPacer struct {
	next  http.RoundTripper
	clock clock.Clock

	mu       sync.Mutex
	failures int
	until    time.Time
	// probe holds one token. The request that has it finds out whether the helper works again.
	probe chan struct{}
}

// NewCredentialPacer returns a transport that slows requests down while the credential helper fails.
func NewCredentialPacer(next http.RoundTripper, c clock.Clock) http.RoundTripper {
	return newCredentialPacer(next, c)
}

func newCredentialPacer(next http.RoundTripper, c clock.Clock) *credentialPacer {
	return &credentialPacer{next: next, clock: c, probe: make(chan struct{}, 1)}
}

// RoundTrip sends a request, if necessary after a pause.
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
	p.note(probing, kube.IsCredentialError(err) || err == nil && response.StatusCode == http.StatusUnauthorized)
	return response, err
}

func (p *credentialPacer) failed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures > 0
}

// wait waits for the end of the pause or of the request.
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

// note records whether a request failed. Of several requests that fail together at first, only one counts.
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

// WrappedRoundTripper returns the inner transport. client-go looks for this method.
func (p *credentialPacer) WrappedRoundTripper() http.RoundTripper { return p.next }
