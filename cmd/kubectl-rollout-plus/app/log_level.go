package app

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/client-go/transport"
	"k8s.io/klog/v2"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
)

const (
	// librariesLevel is the most that libraries log. From the next level on, client-go logs the bodies of requests and answers,
	// and with them the values of Secrets.
	librariesLevel = 7
	// bodiesLevel and curlLevel are from when kubectl's -v logs bodies, and requests as commands of curl.
	bodiesLevel = 8
	curlLevel   = 9
)

// logLevel is the -v of kubectl. Bodies are logged by this program, which knows what must not be logged.
type logLevel struct {
	level     int
	libraries flag.Value
}

// String returns the level.
func (l *logLevel) String() string { return strconv.Itoa(l.level) }

// Type is what kubectl's help calls it.
func (l *logLevel) Type() string { return "Level" }

// Set gives libraries no more than what is safe.
func (l *logLevel) Set(text string) error {
	level, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return err
	}
	l.level = int(level)
	return l.libraries.Set(strconv.Itoa(min(l.level, librariesLevel)))
}

// logModules is the --vmodule of kubectl, of which no level is above what is safe either.
type logModules struct{ flag.Value }

// Type is what kubectl's help calls it.
func (logModules) Type() string { return "moduleSpec" }

var moduleLevel = regexp.MustCompile(`=\s*([0-9]+)`)

// Set gives libraries no more than what is safe.
func (m logModules) Set(text string) error {
	return m.Value.Set(moduleLevel.ReplaceAllStringFunc(text, func(found string) string {
		level, err := strconv.Atoi(strings.TrimSpace(found[1:]))
		if err != nil || level > librariesLevel {
			level = librariesLevel
		}
		return fmt.Sprintf("=%d", level)
	}))
}

// traffic logs what goes to the API server and comes back, as client-go would, but without the values of Secrets.
func (l *logLevel) traffic(next http.RoundTripper) http.RoundTripper {
	if l.level < bodiesLevel {
		return next
	}
	if l.level >= curlLevel {
		next = transport.NewDebuggingRoundTripper(next, transport.DebugCurlCommand, transport.DebugDetailedTiming)
	}
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		var body []byte
		if request.GetBody != nil {
			if reader, err := request.GetBody(); err == nil {
				body, _ = io.ReadAll(reader) // what is missing is missing in the log
			}
		}
		if len(body) > 0 {
			l.log(request, "Request Body", request.Header.Get("Content-Type"), body)
		}
		response, err := next.RoundTrip(request)
		if err != nil || isStream(request) {
			return response, err
		}
		body, err = io.ReadAll(response.Body)
		_ = response.Body.Close() // all of it is read
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
		l.log(request, "Response Body", response.Header.Get("Content-Type"), body)
		return response, nil
	})
}

// isStream reports whether an answer goes on for as long as somebody reads it.
func isStream(request *http.Request) bool {
	query := request.URL.Query()
	return query.Has("watch") || query.Has("follow") || request.Header.Get("Upgrade") != ""
}

// failing ends a body as it ended when it was read.
type failing struct{ err error }

// Read gives the error.
func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// log writes a body to the log, as much of it as kubectl does at this level.
func (l *logLevel) log(request *http.Request, title, contentType string, body []byte) {
	text := loggedBody(request.URL.Path, contentType, body)
	most := map[int]int{8: 1 << 10, 9: 10 << 10}[l.level]
	if most > 0 && len(text) > most {
		text = text[:most] + fmt.Sprintf(" [truncated %d chars]", len(text)-most)
	}
	klog.FromContext(request.Context()).Info(title, "body", printers.Escape(text))
}
