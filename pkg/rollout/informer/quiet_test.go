package informer

import (
	"testing"
	"time"
)

// A list looks beside a watch that is quiet: soon at first, then later and later, and often while it finds something.
func TestQuietWatchIsLookedBeside(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	nothing := func(q *quiet, at time.Time) { q.found(false, at) }
	something := func(q *quiet, at time.Time) { q.found(true, at) }
	event := func(q *quiet, at time.Time) { q.delivered(true, at) }
	old := func(q *quiet, at time.Time) { q.delivered(false, at) }
	type happening struct {
		at   time.Duration
		what func(*quiet, time.Time)
	}
	for name, c := range map[string]struct {
		happened   []happening
		incomplete bool
		due        time.Duration
	}{
		"asked":                           {nil, false, 5 * time.Second},
		"an event":                        {[]happening{{2 * time.Second, event}}, false, 7 * time.Second},
		"one list":                        {[]happening{{5 * time.Second, nothing}}, false, 15 * time.Second},
		"two lists":                       {[]happening{{5 * time.Second, nothing}, {15 * time.Second, nothing}}, false, 35 * time.Second},
		"a list and an event":             {[]happening{{5 * time.Second, nothing}, {9 * time.Second, event}}, false, 19 * time.Second},
		"many lists":                      {[]happening{{1, nothing}, {2, nothing}, {3, nothing}, {4, nothing}, {5, nothing}, {6, nothing}}, false, 80*time.Second + 6},
		"it has yet to bring all":         {[]happening{{1, nothing}, {2, nothing}, {3, nothing}}, true, 5*time.Second + 3},
		"held back":                       {[]happening{{5 * time.Second, something}}, false, 7 * time.Second},
		"held back, nothing new":          {[]happening{{5 * time.Second, something}, {7 * time.Second, nothing}}, false, 11 * time.Second},
		"held back, nothing for long":     {[]happening{{5 * time.Second, something}, {7, nothing}, {8, nothing}, {9 * time.Second, nothing}}, false, 14 * time.Second},
		"held back, news of the past":     {[]happening{{5 * time.Second, something}, {6 * time.Second, old}}, false, 8 * time.Second},
		"held back, then works after all": {[]happening{{5 * time.Second, something}, {6 * time.Second, event}}, false, 11 * time.Second},
	} {
		q := quiet{asked: began, interval: relistAfter}
		for _, h := range c.happened {
			h.what(&q, began.Add(h.at))
		}
		if due := q.due(c.incomplete); !due.Equal(began.Add(c.due)) {
			t.Errorf("%s: looks again after %s, want %s", name, due.Sub(began), c.due)
		}
	}
	if q := (quiet{interval: relistAfter}); !q.due(false).IsZero() {
		t.Error("looks beside a watch that nobody has asked for")
	}
}
