package apiserver

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
	// librariesLevel is the highest log level for libraries. From the next level on, client-go logs the bodies of requests and
	// answers, which contain the values of Secrets.
	librariesLevel = 7
	// BodiesLevel is the level of kubectl's -v from which bodies are logged. From curlLevel on, requests are also logged as
	// curl commands.
	BodiesLevel = 8
	curlLevel   = 9
)

// LogLevel is the value of kubectl's -v. This program logs bodies itself, since it knows what must not be logged.
type LogLevel struct {
	Level     int
	Libraries flag.Value
}

// String returns the level.
func (l *LogLevel) String() string { return strconv.Itoa(l.Level) }

// Type returns the name that kubectl's help uses for the type.
func (l *LogLevel) Type() string { return "Level" }

// Set sets the level, but limits libraries to the level that is safe.
func (l *LogLevel) Set(text string) error {
	level, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return err
	}
	l.Level = int(level)
	return l.Libraries.Set(strconv.Itoa(min(l.Level, librariesLevel)))
}

// LogModules is the value of kubectl's --vmodule. It limits all levels in it to the one that is safe.
type LogModules struct{ flag.Value }

// Type returns the name that kubectl's help uses for the type.
func (LogModules) Type() string { return "moduleSpec" }

var moduleLevel = regexp.MustCompile(`=\s*([0-9]+)`)

// Set sets the levels of modules, limited to the level that is safe.
func (m LogModules) Set(text string) error {
	return m.Value.Set(moduleLevel.ReplaceAllStringFunc(text, func(found string) string {
		level, err := strconv.Atoi(strings.TrimSpace(found[1:]))
		if err != nil || level > librariesLevel {
			level = librariesLevel
		}
		return fmt.Sprintf("=%d", level)
	}))
}

// Traffic logs requests to the API server and its answers as client-go would, but without the values of Secrets.
func (l *LogLevel) Traffic(next http.RoundTripper) http.RoundTripper {
	if l.Level < BodiesLevel {
		return next
	}
	if l.Level >= curlLevel {
		next = transport.NewDebuggingRoundTripper(next, transport.DebugCurlCommand, transport.DebugDetailedTiming)
	}
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		var body []byte
		if request.GetBody != nil {
			if reader, err := request.GetBody(); err == nil {
				body, _ = io.ReadAll(reader) // after an error, the log only lacks the rest
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
		_ = response.Body.Close() // the body has been read completely
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
		l.log(request, "Response Body", response.Header.Get("Content-Type"), body)
		return response, nil
	})
}

// isStream reports whether the answer to a request is a stream without an end.
func isStream(request *http.Request) bool {
	query := request.URL.Query()
	return query.Has("watch") || query.Has("follow") || request.Header.Get("Upgrade") != ""
}

// failing ends a body with the error that reading it returned.
type failing struct{ err error }

// Read returns the error, or io.EOF if there was none.
func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// log writes a body to the log. It shortens the body to the same length as kubectl at this level.
func (l *LogLevel) log(request *http.Request, title, contentType string, body []byte) {
	text := loggedBody(request.URL.Path, contentType, body)
	most := map[int]int{8: 1 << 10, 9: 10 << 10}[l.Level]
	if most > 0 && len(text) > most {
		text = text[:most] + fmt.Sprintf(" [truncated %d chars]", len(text)-most)
	}
	klog.FromContext(request.Context()).Info(title, "body", printers.Escape(text))
}
