//go:build e2e

package e2e

import (
	"bufio"
	"io"
	"net/http"
	"regexp"
	"testing"
)

// behindOldServer has those who use the space's kubeconfig from now on see StatefulSets as an API server gives them that does
// not know of partitions. That of today fills one in.
func (s *space) behindOldServer() {
	s.Helper()
	s.behind(
		func(request *http.Request) {
			request.Header.Set("Accept", "application/json")
			request.Header.Del("Accept-Encoding") // the transport's own is undone by it, too
		},
		func(response *http.Response) error {
			response.Body = &withoutPartition{Closer: response.Body, from: bufio.NewReader(response.Body)}
			response.ContentLength = -1
			response.Header.Del("Content-Length")
			return nil
		},
	)
}

var partition = regexp.MustCompile(`,"rollingUpdate":\{"partition":0[^{}]*\}`)

// withoutPartition takes the partitions out of a text, line by line, so that a watch is passed on at once.
type withoutPartition struct {
	io.Closer
	from *bufio.Reader
	rest []byte
	err  error
}

// Read gives the next lines.
func (w *withoutPartition) Read(into []byte) (int, error) {
	for len(w.rest) == 0 {
		if w.err != nil {
			return 0, w.err
		}
		w.rest, w.err = w.from.ReadBytes('\n')
		w.rest = partition.ReplaceAll(w.rest, nil)
	}
	count := copy(into, w.rest)
	w.rest = w.rest[count:]
	return count, nil
}

// The lines that kubectl has for a StatefulSet without a partition, which no API server gives any more.
func TestStatusWithoutPartitionsSideBySide(t *testing.T) {
	t.Parallel()
	const kind = "statefulset"
	p := &pair{T: t, kind: kind, sides: [2]*side{newSide(t, kind, "rollout"), newSide(t, kind, "rollout-plus")}}
	p.take("make x")
	p.take("complete x")
	for _, side := range p.sides {
		side.behindOldServer()
	}
	p.compare("rollout status statefulset/x", false)
	p.compare("rollout status statefulset/x --watch=false", false)
	p.sides[1].plugin("status", "statefulset/x").ends(0, "statefulset rolling update complete 3 pods at revision x-")
	// Pods that are not available for an hour hold up their update.
	p.take(`patch {} -p {"spec":{"minReadySeconds":3600,"template":{"metadata":{"labels":{"version":"two"}}}}}`)
	p.take("await Waiting for partitioned roll out to finish: 0 out of 3 new pods have been updated")
	p.compare("rollout status statefulset/x --watch=false", false)
	p.compare("~rollout status statefulset/x --timeout=1s", true)
	p.sides[1].plugin("status", "statefulset/x", "--watch=false").ends(0, "waiting for statefulset rolling update to complete 0 pods at revision x-")
}
