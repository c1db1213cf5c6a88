package rollout

import (
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/relapse"
)

// mostLosses is how often a pod may lose its readiness outside a hold.
const mostLosses = 1

// career is what a pod has done since it was seen ready first.
type career struct {
	isNew bool
	// restarts are those that do not count: of the time before it was ready, and those that were its node's doing. crashes are all by
	// now.
	restarts, crashes int32
	ready             bool
	losses            int
	// restarted and lost are what an old pod shows of the time before it was seen first.
	restarted, lost diagnose.Relapse
	// gone is when the pod was seen to be gone, zero while it is there.
	gone time.Time
}

// tally counts a version's restarts, or losses of readiness where losses is set.
func (m memory) tally(isNew, losses bool, now time.Time) relapse.Tally {
	var t relapse.Tally
	for _, c := range m.careers {
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

// weigh returns a finding about a new pod that restarted, or lost its readiness, unless that may be chance: nil then.
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

// lossIsChance reports whether new pods have lost their readiness, and no more of them than may be by chance.
func (m memory) lossIsChance(now time.Time) bool {
	newer := m.tally(true, true, now)
	return newer.Count > 0 && relapse.ByChance(newer, m.tally(false, true, now))
}

// follow keeps what the pods of both versions do, and says what new ones must not do: restart after they were ready, or lose their
// readiness again and again. A crash loop whose container is ready for a few seconds each time shows nothing else.
func (m memory) follow(all []*corev1.Pod, isNew func(*corev1.Pod) bool, of suspects, now time.Time) (memory, *Finding) {
	var found relapsed
	changed, present := map[types.UID]career{}, 0
	for _, pod := range all {
		before, known := m.careers[pod.UID]
		if known && before.gone.IsZero() {
			present++
		}
		is := isNew(pod)
		if !is && !isActive(pod) || diagnose.Excused(pod) {
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

// relapsed are the first pods that did what they must not do.
type relapsed struct{ restarted, unready *corev1.Pod }

func (r *relapsed) add(pod *corev1.Pod, c career, kind string) {
	switch {
	case c.hasRestarted(pod) && r.restarted == nil:
		r.restarted = pod
	case c.isUnsteady(kind) && r.unready == nil:
		r.unready = pod
	}
}

// judgeRelapses returns what is more than chance, nil where nothing is.
func (m memory) judgeRelapses(found relapsed, of suspects, now time.Time) *Finding {
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

// with is the memory with careers that have changed.
func (m memory) with(changed map[types.UID]career) memory {
	if len(changed) == 0 {
		return m
	}
	careers := maps.Clone(m.careers)
	if careers == nil {
		careers = map[types.UID]career{}
	}
	maps.Copy(careers, changed)
	m.careers, m.living = careers, 0
	for _, c := range careers {
		if c.gone.IsZero() {
			m.living++
		}
	}
	return m
}

// leave notes which pods are gone.
func (m memory) leave(all []*corev1.Pod, changed map[types.UID]career, now time.Time) {
	there := make(map[types.UID]bool, len(all))
	for _, pod := range all {
		there[pod.UID] = true
	}
	for uid, c := range m.careers {
		if c.gone.IsZero() && !there[uid] {
			c.gone = now
			changed[uid] = c
		}
	}
}

// next is the career with what a pod shows now. It is empty for a pod that has not been ready yet.
func (c career) next(pod *corev1.Pod, isNew, known bool, now time.Time) career {
	ready, since := readySince(pod)
	crashes := diagnose.Crashes(pod)
	switch {
	case !known && !ready:
		return career{}
	case !known:
		if since.IsZero() {
			since = now
		}
		c = career{restarts: crashes, restarted: diagnose.Relapse{Since: since}, lost: diagnose.Relapse{Since: since}}
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
		c.crashes++ // that counts as a restart before the container is started again
	}
	return c
}

// hasRestarted reports whether a pod has restarted after it was ready.
func (c career) hasRestarted(pod *corev1.Pod) bool {
	return c.crashes > c.restarts || c.losses > 0 && diagnose.HasEnded(pod)
}

// isUnsteady reports whether a pod has lost its readiness again and again. Pods of other kinds do while their peers are replaced.
func (c career) isUnsteady(kind string) bool { return c.losses > mostLosses && kind == "Deployment" }

// lost is what a pod did that it must not do during a hold: restart, or lose its readiness. What its node did to it is known
// by its career.
func (m memory) lost(pods []*corev1.Pod, of suspects, now time.Time) *Finding {
	for _, pod := range pods {
		before, watched := m.restarts[pod.UID]
		if !watched || diagnose.Excused(pod) {
			continue
		}
		var finding *Finding
		ready, _ := readySince(pod)
		before = max(before, m.careers[pod.UID].restarts)
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
