// Package relapse compares relapses of a new version's pods with those of the old version's: restarts and losses of readiness.
package relapse

import (
	"fmt"
	"math"
	"time"
)

const (
	// mostChance is the probability of chance below which a version is blamed for its first relapse. For n relapses the limit
	// is mostChance/n, since a long rollout is judged many times.
	mostChance = 0.005
	// quietHours is for an old version without a relapse. It is assumed to have had half a relapse in so many hours of its
	// pods: a year.
	quietHours = 365 * 24
)

// Tally counts the relapses of one version's pods: restarts, or losses of readiness, after they were ready.
type Tally struct {
	Count int
	// Hours is the time for which pods were watched, summed over all pods.
	Hours float64
}

// Add adds the relapses of one more pod.
func (t *Tally) Add(count int, watched time.Duration) {
	t.Count += count
	t.Hours += max(watched, 0).Hours()
}

// Plus returns the sum of two tallies.
func (t Tally) Plus(other Tally) Tally { return Tally{t.Count + other.Count, t.Hours + other.Hours} }

func (t Tally) String() string {
	return fmt.Sprintf("%d in %.1f h of all pods together", t.Count, t.Hours)
}

// ByChance reports whether the relapses of a new version may be nothing but chance, if it is as good as the old one.
//
// It computes how likely the new version's count, or a higher one, would be at the old version's rate. That rate is not known
// exactly: the fewer relapses the old version had, the wider its range. If the old version had none at all, it is assumed to be
// as quiet as most versions are. So the first relapse among a few pods is never chance, unless the old pods have relapses too.
// One or two among thousands of pods, in hours, may be chance.
func ByChance(newer, older Tally) bool {
	if newer.Count == 0 {
		return true
	}
	hours := older.Hours
	if older.Count == 0 {
		hours = max(hours, quietHours)
	}
	if newer.Hours <= 0 || hours <= 0 {
		return false
	}
	return atLeast(newer.Count, float64(older.Count)+0.5, newer.Hours/(newer.Hours+hours)) > mostChance/float64(newer.Count)
}

// atLeast returns the probability of at least count events in a negative binomial distribution. The rate of the events is known
// from shape earlier events. share is the part of all hours in which the events are counted.
func atLeast(count int, shape, share float64) float64 {
	below, term, more := 0.0, shape*math.Log1p(-share), math.Log(share)
	for k := range count {
		below += math.Exp(term)
		n := float64(k)
		term += more + math.Log((shape+n)/(n+1))
	}
	return max(0, 1-below)
}
