package rollout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const (
	// LogLines is how many lines of a failed container's log are reported by default.
	LogLines   = 20
	logBytes   = 16 * 1024
	logTimeout = 5 * time.Second
	// mostEvents is how many events are read of one object at most.
	mostEvents = 100
	// eventsPage is how many events of earlier pods are read at once. All of them are read, since the API server
	// lists the oldest first.
	eventsPage = 500
	// mostPredecessors is for how many names of a StatefulSet's pods, or reasons of a DaemonSet's, the events are read at most.
	mostPredecessors = 3
)

// noLog are the beginnings of what the kubelet answers, with success, when it has removed a container or its log already.
var noLog = []string{"unable to retrieve container logs", "failed to try resolving symlinks in path"} //nolint:gochecknoglobals // constant

// about is an object whose events are read.
type about struct {
	kind string
	metav1.Object
}

func aboutPod(pod *corev1.Pod) about { return about{"pod", pod} }

// eventsOf reads the events of one object.
func (e *Engine) eventsOf(ctx context.Context, of about) ([]*corev1.Event, error) {
	return e.eventsWith(ctx, of, fields.OneTermEqualSelector("involvedObject.uid", string(of.GetUID())))
}

// eventsOfPredecessors reads the warnings about deleted pods of a StatefulSet or DaemonSet, in the place of pods that are not
// ready. Only they show for how many pods the kubelet had the same reason. Events that cannot be read are left out.
func (e *Engine) eventsOfPredecessors(ctx context.Context, w workload.Object, in *diagnose.Input) []*corev1.Event {
	switch w := w.(type) {
	case *appsv1.StatefulSet:
		return e.failuresByName(ctx, w, in)
	case *appsv1.DaemonSet:
		return e.failuresByReason(ctx, in)
	}
	return nil
}

// failuresByName reads the warnings about the pods of a StatefulSet that are missing or not ready. It asks for them by name.
func (e *Engine) failuresByName(ctx context.Context, set *appsv1.StatefulSet, in *diagnose.Input) []*corev1.Event {
	isReady := map[string]bool{}
	for _, pod := range slices.Concat(in.Pods, in.Others) {
		isReady[pod.Name], _ = workload.ReadySince(pod)
	}
	var found []*corev1.Event
	asked := 0
	for ordinal := startOf(set); ordinal < startOf(set)+workload.PodCountsOf(set).Desired && asked < mostPredecessors; ordinal++ {
		name := fmt.Sprintf("%s-%d", set.Name, ordinal)
		if isReady[name] {
			continue
		}
		asked++
		events, err := e.failuresOf(ctx, set.Namespace, fields.Set{"involvedObject.name": name})
		found = append(found, events...)
		if err != nil {
			return found
		}
	}
	return found
}

// failuresByReason reads the warnings about a DaemonSet's pods that ended for the same reason as one that has just ended. Their
// names differ in the last characters only.
func (e *Engine) failuresByReason(ctx context.Context, in *diagnose.Input) []*corev1.Event {
	var found []*corev1.Event
	read := map[string]bool{}
	for _, pod := range in.Pods {
		reason := pod.Status.Reason
		if pod.Status.Phase != corev1.PodFailed || reason == "" || read[reason] || len(read) == mostPredecessors {
			continue
		}
		read[reason] = true
		events, err := e.failuresOf(ctx, pod.Namespace, fields.Set{"reason": reason})
		for _, event := range events {
			if name := event.InvolvedObject.Name; len(name) == len(pod.Name) && withoutSuffix(name) == withoutSuffix(pod.Name) {
				found = append(found, event)
			}
		}
		if err != nil {
			return found
		}
	}
	return found
}

// withoutSuffix returns the name of a pod without the random characters at its end.
func withoutSuffix(pod string) string { return pod[:max(strings.LastIndex(pod, "-"), 0)] }

// failuresOf reads all warnings about pods that the given fields select.
func (e *Engine) failuresOf(ctx context.Context, namespace string, selector fields.Set) ([]*corev1.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	var found []*corev1.Event
	selector["involvedObject.kind"], selector["type"] = "Pod", corev1.EventTypeWarning
	list := pager.New(pager.SimplePageFunc(func(options metav1.ListOptions) (runtime.Object, error) {
		return e.Client.CoreV1().Events(namespace).List(ctx, options)
	}))
	list.PageSize = eventsPage
	err := list.EachListItem(ctx, metav1.ListOptions{FieldSelector: selector.AsSelector().String()}, func(item runtime.Object) error {
		if event, is := item.(*corev1.Event); is {
			found = append(found, event)
		}
		return nil
	})
	return found, err
}

func (e *Engine) eventsWith(ctx context.Context, of about, selector fields.Selector) ([]*corev1.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	list, err := e.Client.CoreV1().Events(of.GetNamespace()).List(ctx, metav1.ListOptions{FieldSelector: selector.String(), Limit: mostEvents})
	switch {
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("the right to list events in namespace %q is missing: %w", of.GetNamespace(), err)
	case err != nil:
		return nil, fmt.Errorf("cannot list the events of %s %q in namespace %q: %w", of.kind, of.GetName(), of.GetNamespace(), err)
	}
	events := make([]*corev1.Event, len(list.Items))
	for i := range list.Items {
		events[i] = &list.Items[i]
	}
	return events, nil
}

// addLogs adds to a finding the last lines of the run that failed, or of the present run if the failed one has left no log. A
// missing log is no error, but a missing right is one. Any other reason why a log cannot be read becomes evidence.
func (e *Engine) addLogs(ctx context.Context, namespace string, finding *Finding, lines int64) error {
	if !finding.HasLogs || finding.Pod == "" || finding.Container == "" || lines <= 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	var unread error
	// The container may have been started again since the diagnosis.
	for _, previous := range []bool{finding.Restarted, !finding.Restarted} {
		text, err := e.logOf(ctx, namespace, finding, corev1.PodLogOptions{Container: finding.Container, Previous: previous, TailLines: &lines})
		switch {
		case apierrors.IsForbidden(err):
			return fmt.Errorf("the right to get pods/log in namespace %q is missing: %w", namespace, err)
		case text != "":
			finding.Logs = strings.Split(text, "\n")
			return nil
		case err != nil && !apierrors.IsBadRequest(err) && !apierrors.IsNotFound(err):
			unread = err // for a container without a log, the error is one of those two
		}
	}
	finding.Evidence = slices.Concat(finding.Evidence, unreadable("logs", unread))
	return nil
}

// logOf returns the last lines of a container's log. The kubelet cuts a log off after the requested size, but its last lines
// are what counts. So logOf asks for fewer lines if they are too long.
func (e *Engine) logOf(ctx context.Context, namespace string, finding *Finding, options corev1.PodLogOptions) (string, error) {
	options.LimitBytes = new(int64(logBytes))
	for {
		text, err := e.readLog(ctx, namespace, finding.Pod, &options)
		if err == nil && len(text) >= logBytes && *options.TailLines > 1 {
			options.TailLines = new(*options.TailLines / 2)
			continue
		}
		trimmed := strings.TrimSpace(string(text))
		if err != nil || slices.ContainsFunc(noLog, func(answer string) bool { return strings.HasPrefix(trimmed, answer) }) {
			return "", err
		}
		return trimmed, nil
	}
}

// readLog reads a log as a stream, as kubectl does. Only a stream keeps the API server's message if there is no log.
func (e *Engine) readLog(ctx context.Context, namespace, pod string, options *corev1.PodLogOptions) (text []byte, err error) {
	stream, err := e.Client.CoreV1().Pods(namespace).GetLogs(pod, options).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }() // the log has been read by then
	return io.ReadAll(io.LimitReader(stream, logBytes))
}

// unreadable returns evidence that something could not be read, and why. It returns nil without an error, or if nobody waits
// for the answer any more.
func unreadable(what string, err error) []string {
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return []string{what + " could not be read: there was no answer in time"}
	}
	return []string{what + " could not be read: " + err.Error()}
}
