package rollout

import (
	"context"
	"slices"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
)

// enrich adds to a finding what is read only once there is one: events, which may show that a crash is a probe's doing, and the
// last lines of the log.
func (s *session) enrich(ctx context.Context, finding *Finding) *Finding {
	var unread []string
	if in := s.present(); in != nil && finding.Pod != "" && s.eventReader.blind == nil {
		in.Events = s.eventReader.events()
		s.memory.recall(in)
		for _, pod := range in.Pods {
			if pod.Name == finding.Pod {
				events, err := s.eventsOf(ctx, aboutPod(pod))
				if !s.cannotSee(err) {
					unread = unreadable("events", err)
				}
				in.Events = append(in.Events, events...)
			}
		}
		report := diagnose.Diagnose(in)
		finding = finding.Refined(&report)
	}
	finding.Evidence = slices.Concat(finding.Evidence, unread)
	if err := s.addLogs(ctx, s.key.Namespace, finding, s.LogLines); err != nil {
		s.emit(ProgressEvent{Message: "the container's log is not seen: " + err.Error()})
	}
	return finding
}
