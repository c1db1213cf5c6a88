package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

const (
	// LogLines is how many lines of a failed container's log are told where nobody asks for another number.
	LogLines   = 20
	logBytes   = 16 * 1024
	logTimeout = 5 * time.Second
	// mostEvents bounds what is read of one pod.
	mostEvents = 100
)

// eventsOf reads the events of one pod.
func (e *Engine) eventsOf(ctx context.Context, pod *corev1.Pod) ([]*corev1.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	list, err := e.Client.CoreV1().Events(pod.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: fields.OneTermEqualSelector("involvedObject.uid", string(pod.UID)).String(), Limit: mostEvents,
	})
	switch {
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("the right to list events in namespace %q is missing: %w", pod.Namespace, err)
	case err != nil:
		return nil, fmt.Errorf("cannot list the events of pod %q in namespace %q: %w", pod.Name, pod.Namespace, err)
	}
	events := make([]*corev1.Event, len(list.Items))
	for i := range list.Items {
		events[i] = &list.Items[i]
	}
	return events, nil
}

// logsOf reads the last lines of the run that failed, or where that has left none, of the present one. That there are
// none is no error; a right that is missing is one.
func (e *Engine) logsOf(ctx context.Context, namespace string, finding *Finding, lines int64) ([]string, error) {
	if !finding.HasLogs || finding.Pod == "" || finding.Container == "" || lines <= 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	// It may have been started again since it was looked at.
	for _, previous := range []bool{finding.Restarted, !finding.Restarted} {
		limit := int64(logBytes)
		text, err := e.Client.CoreV1().Pods(namespace).GetLogs(finding.Pod, &corev1.PodLogOptions{
			Container: finding.Container, Previous: previous, TailLines: &lines, LimitBytes: &limit,
		}).DoRaw(ctx)
		if apierrors.IsForbidden(err) {
			return nil, fmt.Errorf("the right to get pods/log in namespace %q is missing: %w", namespace, err)
		}
		trimmed := strings.TrimSpace(string(text))
		// The kubelet answers with this text, and success, when it has removed the container already.
		if err == nil && trimmed != "" && !strings.HasPrefix(trimmed, "unable to retrieve container logs") {
			return strings.Split(trimmed, "\n"), nil
		}
	}
	return nil, nil
}
