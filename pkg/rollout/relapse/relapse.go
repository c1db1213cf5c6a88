// Package relapse weighs what the pods of a new version do after they were ready against what those of the old version do.
package relapse

import (
	"fmt"
	"math"
	"time"
)

const (
	// mostChance is how unlikely it has to be that chance alone is at work before a version is blamed for its first relapse. For each
	// further one it is that much less likely, since a long rollout is judged many times.
	mostChance = 0.005
	// quietHours is in how many hours of its pods an old version is taken to have had half a relapse, where it had none: a year.
	quietHours = 365 * 24
)

// Tally counts the relapses of one version's pods: restarts, or losses of readiness, after they were ready.
type Tally struct {
	Count int
	// Hours is for how long pods were watched, added up over all of them.
	Hours float64
}

// Add adds what happened to one more pod.
func (t *Tally) Add(count int, watched time.Duration) {
	t.Count += count
	t.Hours += max(watched, 0).Hours()
}

// Plus returns both tallies together.
func (t Tally) Plus(other Tally) Tally { return Tally{t.Count + other.Count, t.Hours + other.Hours} }

func (t Tally) String() string {
	return fmt.Sprintf("%d in %.1f h of all pods together", t.Count, t.Hours)
}

// ByChance reports whether the relapses of a new version may be nothing but chance, if it is as good as the old one.
//
// It asks how likely the new version's count, or a higher one, would be at the old version's rate. That rate is not known
// exactly: the fewer relapses the old version had, the wider it is taken. Where the old version had none at all, it is taken to be
// as quiet as most are. So the first relapse of a few pods is never chance, unless the old pods have them too; one or two among
// thousands of pods, in hours, may be.
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

// atLeast returns how likely it is to see so many events or more, of a negative binomial distribution: of a rate that is known from
// shape events, when share is the part of all hours in which they are counted.
func atLeast(count int, shape, share float64) float64 {
	below, term, more := 0.0, shape*math.Log1p(-share), math.Log(share)
	for k := range count {
		below += math.Exp(term)
		n := float64(k)
		term += more + math.Log((shape+n)/(n+1))
	}
	return max(0, 1-below)
}
