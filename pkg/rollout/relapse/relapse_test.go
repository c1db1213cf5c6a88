package relapse

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestByChance(t *testing.T) {
	t.Parallel()
	const day, month = 24, 30 * 24
	for name, test := range map[string]struct {
		newer, older Tally
		want         bool
	}{
		"nothing happened": {Tally{0, 100}, Tally{}, true},
		// Few pods: the first relapse is blamed, however long the old version has been well.
		"a pod crashes at once, the old version is new too":     {Tally{1, 10.0 / 3600}, Tally{0, 1.0 / 60}, false},
		"a pod crashes at once, the old version is not known":   {Tally{1, 10.0 / 3600}, Tally{}, false},
		"one of four pods restarts after 40 minutes":            {Tally{1, 4 * 2.0 / 3}, Tally{0, 4 * day}, false},
		"one of four pods restarts, the old ones did last week": {Tally{1, 4.0 / 6}, Tally{4, 4 * 7 * day}, false},
		"two of four pods restart within hours":                 {Tally{2, 4 * 10}, Tally{0, 4 * month}, false},
		// Thousands of pods.
		"one of 3000 pods restarts in hours":               {Tally{1, 3000 * 2}, Tally{0, 3000 * day}, true},
		"one of 1000 pods restarts in an hour, none known": {Tally{1, 1000}, Tally{}, true},
		"the canary of 3000 pods restarts at once":         {Tally{1, 1.0 / 60}, Tally{3000, 3000 * month}, false},
		"the same rate":                        {Tally{30, 3000 * 3}, Tally{240, 3000 * day}, true},
		"the same rate, much seen":             {Tally{3000, 3000 * 3}, Tally{24000, 3000 * day}, true},
		"a bit above":                          {Tally{36, 3000 * 3}, Tally{240, 3000 * day}, true},
		"three times the rate":                 {Tally{90, 3000 * 3}, Tally{240, 3000 * day}, false},
		"thousands of restarts":                {Tally{3000, 3000}, Tally{240, 3000 * day}, false},
		"a tenth of all pods restarts at once": {Tally{300, 10}, Tally{0, 3000 * day}, false},
		// The old version is as bad.
		"the old pods restart too":              {Tally{1, 4.0 / 6}, Tally{4, 4}, true},
		"the new ones restart far more often":   {Tally{6, 4.0 / 60}, Tally{4, 4}, false},
		"the old pods lose their readiness too": {Tally{3, 1}, Tally{12, 4}, true},
	} {
		if got := ByChance(test.newer, test.older); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// More relapses never speak for a version, nor do fewer of the old one.
func TestByChanceIsMonotonic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tally := func(name string) Tally {
			return Tally{rapid.IntRange(0, 5000).Draw(t, name), math.Exp(rapid.Float64Range(-8, 16).Draw(t, name+" hours"))}
		}
		newer, older := tally("new"), tally("old")
		if older.Count == 0 {
			older.Hours = max(older.Hours, quietHours) // below that none is known
		}
		byChance := ByChance(newer, older)
		worse := Tally{newer.Count + rapid.IntRange(0, 10).Draw(t, "more"), newer.Hours / rapid.Float64Range(1, 3).Draw(t, "sooner")}
		if !byChance && ByChance(worse, older) {
			t.Fatalf("%s is blamed, %s is not, where the old version had %s", newer, worse, older)
		}
		if older.Count == 0 {
			return
		}
		better := Tally{older.Count - rapid.IntRange(0, older.Count-1).Draw(t, "fewer"), older.Hours * rapid.Float64Range(1, 3).Draw(t, "longer")}
		if !byChance && ByChance(newer, better) {
			t.Fatalf("%s is blamed where the old version had %s, and not where it had %s", newer, older, better)
		}
	})
}

// The first relapse of a pod that has been ready for less than a quarter of an hour is always blamed where the old version has none.
func TestEarlyRelapsesAreBlamed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pods := rapid.IntRange(1, 12).Draw(t, "pods")
		var newer, older Tally
		newer.Add(1, time.Duration(rapid.IntRange(0, 900).Draw(t, "seconds"))*time.Second)
		for range pods {
			newer.Add(0, time.Duration(rapid.IntRange(0, 900).Draw(t, "seconds"))*time.Second)
			older.Add(0, time.Duration(rapid.IntRange(0, 1000).Draw(t, "hours"))*time.Hour)
		}
		if ByChance(newer, older) {
			t.Fatalf("%s of the new version, %s of the old one", newer, older)
		}
	})
}

// rollout lets a version with so many pods take the place of another in seven hours, and returns after how many minutes it is
// blamed, -1 for never. Rates are relapses of a pod in an hour.
func rollout(random *rand.Rand, pods int, age, oldRate, newRate float64) int {
	older := Tally{Count: poisson(random, oldRate*float64(pods)*age), Hours: float64(pods) * age}
	newer := Tally{}
	const minutes = 420
	for minute := range minutes {
		before, made := newer.Count, 1+(pods-1)*minute/minutes
		older = older.Plus(Tally{poisson(random, oldRate*float64(pods-made)/60), float64(pods-made) / 60})
		newer = newer.Plus(Tally{poisson(random, newRate*float64(made)/60), float64(made) / 60})
		if newer.Count > before && !ByChance(newer, older) {
			return minute
		}
	}
	return -1
}

// poisson draws a number of events.
func poisson(random *rand.Rand, mean float64) int {
	if mean > 100 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*random.NormFloat64())))
	}
	count, limit := 0, math.Exp(-mean)
	for p := random.Float64(); p > limit; p *= random.Float64() {
		count++
	}
	return count
}

// A version that is as good as the old one comes through a long rollout, and one that is far worse does not.
func TestLongRollouts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		factor float64
		// most is how many of twenty rollouts may be blamed, least how many have to be, within so many minutes.
		most, least, within int
	}{
		"as good": {1, 1, 0, 0},
		"better":  {0.5, 0, 0, 0},
		"worse":   {5, 20, 20, 200},
		"broken":  {100, 20, 20, 30},
	} {
		for _, rate := range []float64{1.0 / 300, 1.0 / 24} {
			for _, age := range []float64{2, 24, 700} {
				blamed, slowest := 0, 0
				for seed := range uint64(20) {
					if after := rollout(rand.New(rand.NewPCG(seed, 3)), 3000, age, rate, test.factor*rate); after >= 0 {
						blamed, slowest = blamed+1, max(slowest, after)
					}
				}
				if blamed > test.most || blamed < test.least || test.least > 0 && slowest > test.within {
					t.Errorf("%s, %.4f an hour, %.0f h old: %d of 20 blamed, the last after %d min", name, rate, age, blamed, slowest)
				}
			}
		}
	}
}
