package rollout

import (
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/relapse"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// mostLosses is how often a pod may lose its readiness outside a hold.
const mostLosses = 1

// podHistory is the history of a pod since it was first seen ready.
type podHistory struct {
	isNew bool
	// restarts counts the restarts that are not held against the pod: those before it was ready, and those that its node
	// caused. crashes counts all restarts so far.
	restarts, crashes int32
	ready             bool
	losses            int
	// restarted and lost are the relapses that an old pod shows from before it was first seen. For a new pod they only say
	// since when it has been ready.
	restarted, lost diagnose.Relapse
	// gone is when the pod was seen to be gone, or zero while it exists.
	gone time.Time
}

// tally counts the restarts of one version's pods, or their losses of readiness if losses is set.
func (m memory) tally(isNew, losses bool, now time.Time) relapse.Tally {
	var t relapse.Tally
	for _, c := range m.histories {
		if c.isNew != isNew {
			continue
		}
		until := now
		if !c.gone.IsZero() {
			until = c.gone
		}
		if losses {
			t.Add(c.lost.Count+c.losses, until.Sub(c.lost.Since))
		} else {
			t.Add(c.restarted.Count+int(max(c.crashes-c.restarts, 0)), until.Sub(c.restarted.Since))
		}
	}
	return t
}

// weigh returns a finding about a new pod that restarted, or lost its readiness. It returns nil if that may be chance, judged
// by the old pods.
func (m memory) weigh(finding *Finding, losses bool, now time.Time) *Finding {
	newer, older := m.tally(true, losses, now), m.tally(false, losses, now)
	newer.Count = max(newer.Count, 1)
	if relapse.ByChance(newer, older) {
		return nil
	}
	if newer.Count > 1 || older.Count > 0 {
		what := "restarts"
		if losses {
			what = "losses of readiness"
		}
		finding.Evidence = append(finding.Evidence, fmt.Sprintf("%s of new pods: %s; of old pods: %s", what, newer, older))
	}
	return finding
}

// lossIsChance reports whether new pods have lost their readiness, but not more often than chance explains.
func (m memory) lossIsChance(now time.Time) bool {
	newer := m.tally(true, true, now)
	return newer.Count > 0 && relapse.ByChance(newer, m.tally(false, true, now))
}

// follow updates the histories of both versions' pods. It returns a finding if a new pod restarted after it was ready, or lost
// its readiness again and again. A crash loop whose container is ready for a few seconds each time shows nothing else.
func (m memory) follow(all []*corev1.Pod, isNew func(*corev1.Pod) bool, of podFindings, now time.Time) (memory, *Finding) {
	var found relapsed
	changed, present := map[types.UID]podHistory{}, 0
	for _, pod := range all {
		before, known := m.histories[pod.UID]
		if known && before.gone.IsZero() {
			present++
		}
		is := isNew(pod)
		if !is && !workload.IsActive(pod) || diagnose.Excused(pod) {
			continue
		}
		after := before.next(pod, is, known, now)
		if after != before {
			changed[pod.UID] = after
		}
		if is {
			found.add(pod, after, of.workload.Kind)
		}
	}
	if present < m.living {
		m.leave(all, changed, now)
	}
	m = m.with(changed)
	return m, m.judgeRelapses(found, of, now)
}

// relapsed holds the first new pod that restarted and the first one that is unsteady. Each is nil if there is none.
type relapsed struct{ restarted, unready *corev1.Pod }

func (r *relapsed) add(pod *corev1.Pod, c podHistory, kind string) {
	switch {
	case c.hasRestarted(pod) && r.restarted == nil:
		r.restarted = pod
	case c.isUnsteady(kind) && r.unready == nil:
		r.unready = pod
	}
}

// judgeRelapses returns a finding about a relapse that is more than chance, or nil if there is none.
func (m memory) judgeRelapses(found relapsed, of podFindings, now time.Time) *Finding {
	if found.restarted != nil {
		if finding := m.weigh(of.restarted(found.restarted), false, now); finding != nil {
			return finding
		}
	}
	if found.unready == nil {
		return nil
	}
	return m.weigh(of.lostReadiness(found.unready, "the pod was ready and lost its readiness again and again"), true, now)
}

// with returns the memory with the changed histories added.
func (m memory) with(changed map[types.UID]podHistory) memory {
	if len(changed) == 0 {
		return m
	}
	histories := maps.Clone(m.histories)
	if histories == nil {
		histories = map[types.UID]podHistory{}
	}
	maps.Copy(histories, changed)
	m.histories, m.living = histories, 0
	for _, c := range histories {
		if c.gone.IsZero() {
			m.living++
		}
	}
	return m
}

// leave adds to changed the histories of known pods that are gone.
func (m memory) leave(all []*corev1.Pod, changed map[types.UID]podHistory, now time.Time) {
	there := make(map[types.UID]bool, len(all))
	for _, pod := range all {
		there[pod.UID] = true
	}
	for uid, c := range m.histories {
		if c.gone.IsZero() && !there[uid] {
			c.gone = now
			changed[uid] = c
		}
	}
}

// next returns the history with what a pod shows now. It is empty for a pod that has not been ready yet.
func (c podHistory) next(pod *corev1.Pod, isNew, known bool, now time.Time) podHistory {
	ready, since := workload.ReadySince(pod)
	crashes := diagnose.Crashes(pod)
	switch {
	case !known && !ready:
		return podHistory{}
	case !known:
		if since.IsZero() {
			since = now
		}
		c = podHistory{restarts: crashes, restarted: diagnose.Relapse{Since: since}, lost: diagnose.Relapse{Since: since}}
		if !isNew {
			c.restarted, c.lost = diagnose.Relapses(pod)
		}
	case c.ready && !ready:
		c.losses++
	}
	c.isNew, c.ready = isNew, ready
	if c.crashes = crashes; diagnose.EndedByNode(pod) {
		c.restarts = crashes
	} else if c.losses > 0 && diagnose.HasEnded(pod) {
		c.crashes++ // the end counts as a restart even before the container is started again
	}
	return c
}

// hasRestarted reports whether a pod has restarted after it was ready.
func (c podHistory) hasRestarted(pod *corev1.Pod) bool {
	return c.crashes > c.restarts || c.losses > 0 && diagnose.HasEnded(pod)
}

// isUnsteady reports whether a pod of a Deployment has lost its readiness again and again. Pods of other kinds do so while
// their peers are replaced, so they do not count.
func (c podHistory) isUnsteady(kind string) bool {
	return c.losses > mostLosses && kind == "Deployment"
}

// lost returns a finding about a pod that restarted or lost its readiness during a hold, or nil if there is none. The pod's
// history says which restarts its node caused: they do not count.
func (m memory) lost(pods []*corev1.Pod, of podFindings, now time.Time) *Finding {
	for _, pod := range pods {
		before, watched := m.restarts[pod.UID]
		if !watched || diagnose.Excused(pod) {
			continue
		}
		var finding *Finding
		ready, _ := workload.ReadySince(pod)
		before = max(before, m.histories[pod.UID].restarts)
		switch {
		case diagnose.Crashes(pod) > before || diagnose.HasEnded(pod):
			finding = m.weigh(of.restarted(pod), false, now)
		case !ready:
			finding = m.weigh(of.lostReadiness(pod, "the pod was ready and is not any more"), true, now)
		}
		if finding != nil {
			return finding
		}
	}
	return nil
}
