package rollout

import (
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// unjudged is a gate whose pods nobody diagnoses: the finding is given.
type unjudged struct {
	gate

	finding *Finding
}

func (u unjudged) judge(st *step, m memory) (memory, *Finding) {
	if u.finding != nil {
		return m, u.finding
	}
	return m, st.lost(m, suspectsOf(st.Workload, nil))
}

// inOldWords is an action as the two decisions before this one put it.
func inOldWords(next action) action {
	switch a := next.(type) {
	case move:
		switch to := a.to.(type) {
		case Width:
			return setGate{step: a.step, gate: to, until: a.until}
		case ungated:
			return leaveGate{}
		case partition:
			return openTo{step: a.step, partition: int32(to)}
		case wave:
			return chooseWave{step: a.step, wave: []types.UID(to)}
		}
	case standBackTo:
		back, _ := inOldWords(a.move).(setGate)
		return standBack{back, a.message}
	}
	return next
}

// agreesForDeployment compares the decision with the one that was there for Deployments alone.
func agreesForDeployment(t fatal, s *Snapshot, record *Record, m memory, now time.Time) {
	before, after := *s, *s
	old, oldMemory := decideStep(&before, record, m, now)
	next, nextMemory := decide(gateOf(s.Workload), &after, record, m, now)
	if !reflect.DeepEqual(old, inOldWords(next)) {
		t.Fatalf("%T%+v, which was %T%+v", next, next, old, old)
	}
	if !reflect.DeepEqual(oldMemory, nextMemory) {
		t.Fatalf("memory %+v, which was %+v", nextMemory, oldMemory)
	}
}

// agreesForOthers compares the decision with the one that was there for StatefulSets and DaemonSets.
func agreesForOthers(t fatal, s *Snapshot, record *Record, finding *Finding, m memory, now time.Time) {
	before, after := *s, *s
	old, _ := decideOther(&before, record, finding, m, now)
	next, _ := decide(unjudged{gateOf(s.Workload), finding}, &after, record, m, now)
	if !reflect.DeepEqual(old, inOldWords(next)) {
		t.Fatalf("%T%+v, which was %T%+v", next, next, old, old)
	}
}
