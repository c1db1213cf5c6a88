package rollout

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// logsAre answers requests for logs.
type logsAre func(request *http.Request) (string, error)

func (l logsAre) RoundTrip(request *http.Request) (*http.Response, error) {
	text, err := l(request)
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return answer(request, nil, err)
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text)), Request: request}, nil
}

func (l logsAre) engine(t *testing.T) *Engine {
	t.Helper()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: "http://world", QPS: -1, Transport: l})
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{Client: client}
}

func isPrevious(request *http.Request) bool { return request.URL.Query().Get("previous") == "true" }

// That a container has no log is no evidence, that it could not be read is.
func TestLogsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	pods := schema.GroupResource{Resource: "pods"}
	none := func(*http.Request) (string, error) {
		return "", apierrors.NewBadRequest(`previous terminated container "app" in pod "p" not found`)
	}
	for name, test := range map[string]struct {
		answers  logsAre
		logs     string
		evidence string
		err      string
	}{
		"there are some": {func(*http.Request) (string, error) { return "one\ntwo\n", nil }, "one two", "", ""},
		"there are none": {none, "", "", ""},
		"none before": {func(request *http.Request) (string, error) {
			if isPrevious(request) {
				return none(request)
			}
			return "now\n", nil
		}, "now", "", ""},
		"removed": {func(*http.Request) (string, error) { return "unable to retrieve container logs for x", nil }, "", "", ""},
		"its log, too": {func(*http.Request) (string, error) {
			return "failed to try resolving symlinks in path \"/var/log/pods/x/app/1.log\": lstat /var/log/pods/x/app: no such file or directory", nil
		}, "", "", ""},
		"the pod went": {func(*http.Request) (string, error) { return "", apierrors.NewNotFound(pods, "p") }, "", "", ""},
		"the node is away": {func(*http.Request) (string, error) {
			return "", apierrors.NewInternalError(errors.New("dial tcp 10.0.0.1:10250: connect: connection refused"))
		}, "", "logs could not be read: Internal error occurred: dial tcp 10.0.0.1:10250: connect: connection refused", ""},
		"the node is slow": {func(request *http.Request) (string, error) {
			<-request.Context().Done()
			return "", request.Context().Err()
		}, "", "logs could not be read: there was no answer in time", ""},
		"nobody waits": {func(*http.Request) (string, error) { return "", context.Canceled }, "", "", ""},
		"not allowed": {func(*http.Request) (string, error) {
			return "", apierrors.NewForbidden(pods, "p", errors.New("no"))
		}, "", "", "the right to get pods/log in namespace \"shop\" is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &Finding{Pod: "p", Container: "app", HasLogs: true, Restarted: true}
				err := test.answers.engine(t).addLogs(t.Context(), "shop", f, LogLines)
				if (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v", err)
				}
				if strings.Join(f.Logs, " ") != test.logs || strings.Join(f.Evidence, " ") != test.evidence {
					t.Errorf("logs %q, evidence %q", f.Logs, f.Evidence)
				}
			})
		})
	}
}

// The kubelet cuts a log off after the size that is asked for, and what failed is in its last lines.
func TestTheLastLinesOfALongLog(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]int{10: 20, 2000: 5, 10000: 1, 20000: 1} {
		lines := make([]string, 50)
		for i := range lines {
			lines[i] = strconv.Itoa(i) + strings.Repeat("x", length)
		}
		asked := 0
		answers := logsAre(func(request *http.Request) (string, error) {
			asked++
			tail, err := strconv.Atoi(request.URL.Query().Get("tailLines"))
			if err != nil {
				t.Error(err)
			}
			text := strings.Join(lines[len(lines)-tail:], "\n")
			return text[:min(len(text), logBytes)], nil
		})
		f := &Finding{Pod: "p", Container: "app", HasLogs: true}
		if err := answers.engine(t).addLogs(t.Context(), "shop", f, LogLines); err != nil || asked > 5 {
			t.Errorf("%v, asked %d times", err, asked)
		}
		if !slices.ContainsFunc(f.Logs, func(line string) bool { return strings.HasPrefix(line, "49x") }) || len(f.Logs) != want {
			t.Errorf("lines of %d: got %d", length, len(f.Logs))
		}
	}
}
