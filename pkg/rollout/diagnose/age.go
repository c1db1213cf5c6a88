package diagnose

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// kubeletSync is the longest that the kubelet waits before it tries again to start a pod that it could not start.
	kubeletSync = 15 * time.Second
	// leastBackOff is the kubelet's first wait before it starts a container or pulls an image again.
	leastBackOff = 10 * time.Second
	// kubeletBackOff is the longest that the kubelet waits before it starts a container or pulls an image again.
	kubeletBackOff = 5 * time.Minute
	// mountBackOff is the longest that the kubelet waits before it tries a mount again.
	mountBackOff = 122 * time.Second
	// controllerBackOff is the longest that a controller waits before it tries again.
	controllerBackOff = 1000 * time.Second
	// toTell is how long an attempt and its report may take.
	toTell = 2 * time.Second
	// retryAfter is how long after an attempt a controller is made to try again. So it soon does what has become possible.
	retryAfter = 10 * time.Second
	// answered is how long after a controller was made to try again its latest report counts as its answer.
	answered = 3 * time.Second
)

// attempt describes a state that a component retries from time to time. The state is only as recent as the last attempt.
type attempt struct {
	// last is the last attempt that is known to have failed, or zero if none is known.
	last time.Time
	// next returns by when the result of the first attempt after a given time is reported. It is nil for a state that is always
	// up to date.
	next func(after time.Time) time.Time
	// asks says that the controller can be made to try at once. at is a time from which an attempt is worthwhile.
	asks bool
	at   time.Time
}

// due returns when a signal becomes fatal. For a signal that only warns, it returns when the state began. A state that is
// retried becomes fatal with an attempt that failed at the end of the grace or later. Evidence older than the command does not
// count. Without a start time of the command, the last attempt decides.
func (d *diagnosis) due(s *signal, cause Cause) time.Time {
	since := d.began(s)
	if s.onlyWarns(cause) {
		return since
	}
	s.grace = d.graceOf(s, cause)
	if s.grace == 0 && (s.next == nil || s.proven || s.pod != nil && d.isNew(s.pod)) {
		return since
	}
	ends := latest(since, d.After).Add(s.grace)
	if s.next == nil || d.After.IsZero() {
		return ends
	}
	d.askController(s, ends)
	if !s.last.Before(ends) {
		return ends
	}
	d.decides(ends)
	if s.asks && d.Retries {
		return ends.Add(answered)
	}
	return latest(ends, s.next(ends))
}

// graceOf returns the grace of a signal.
func (d *diagnosis) graceOf(s *signal, cause Cause) time.Duration {
	length := s.grace
	if !s.isFinal(cause) && length == 0 {
		length = cause.Grace
	}
	if d.Patience > length {
		length, s.why = d.Patience, "--patience"
	}
	return length
}

// graceTold returns the grace of a signal for the report, with its reason.
func (d *diagnosis) graceTold(s *signal, until time.Time) *Grace {
	why := s.why
	switch {
	case s.grace == 0:
		return &Grace{Length: until.Sub(d.Now), Until: until, Left: until.Sub(d.Now), Why: "that is older than this command, and the next attempt decides"}
	case why == "":
		why = fmt.Sprintf("%s is given %s", s.id, s.grace)
	}
	if s.next != nil && !d.After.IsZero() {
		why += ", and the first attempt after that decides"
	}
	return &Grace{Length: s.grace, Until: until, Left: max(until.Sub(d.Now), 0), Why: why}
}

// slow records whether a starting pod takes longer than usual.
func (d *diagnosis) slow(f *Finding, s *signal) {
	if !f.starting || d.report.Seen == nil {
		return
	}
	usual := d.began(s).Add(d.usual())
	f.slow = !d.Now.Before(usual)
	d.wake(usual)
}

// namePatience adds a hint at the flag that would give a container more time.
func (d *diagnosis) namePatience(f *Finding, s *signal) {
	if f.Severity == Fatal && !d.After.IsZero() && d.Patience == 0 && s.status != nil && s.status.RestartCount > 0 {
		f.Evidence = append(f.Evidence, "--patience gives it more time, as in --patience 2m")
	}
}

// isNew reports whether a pod was created after the command began. Then none of its states is older than the command.
func (d *diagnosis) isNew(pod *corev1.Pod) bool { return !pod.CreationTimestamp.Time.Before(d.After) }

// decides records from when on an attempt decides. From then on, events of attempts are needed as they come.
func (d *diagnosis) decides(ends time.Time) {
	if d.report.Decides.IsZero() || ends.Before(d.report.Decides) {
		d.report.Decides = ends
	}
}

// askController records when the controller should be made to try again. That is at once if it has not tried since the command
// began, or since room was made. It is again when the grace ends, and every retryAfter before that.
func (d *diagnosis) askController(s *signal, ends time.Time) {
	if !s.asks {
		return
	}
	d.report.Refused = s.object
	if d.Retried.After(s.last) {
		d.wake(d.Retried.Add(answered))
	}
	if d.Retried.After(s.last) && !d.Now.Before(d.Retried.Add(answered)) {
		s.last = d.Retried
	}
	begin := d.After
	if d.Retried.IsZero() && s.last.Before(begin) {
		begin = d.Now // once more at d.After, since reported times are in full seconds
	}
	next := latest(s.last, d.Retried).Add(retryAfter)
	for _, at := range []time.Time{begin, d.After, s.at, ends} {
		if !at.IsZero() && s.last.Before(at) && d.Retried.Before(at) && at.Before(next) {
			next = at
		}
	}
	if d.report.Retry.IsZero() || next.Before(d.report.Retry) {
		d.report.Retry = next
	}
	if d.Retries {
		d.wake(next)
	}
}

// backOff returns when the next attempt is due if attempts began at first and become ever rarer. The wait after an attempt is
// about the time since first, and at most the given limit.
func backOff(first time.Time, most time.Duration) func(time.Time) time.Time {
	return func(after time.Time) time.Time {
		wait := max(after.Sub(first), 0)
		return after.Add(min(wait, most) + toTell)
	}
}

// pullsAgainBy returns by when the kubelet pulls an image of a pod again. The kubelet first waits 10 s, then twice as long each
// time.
func pullsAgainBy(pod *corev1.Pod) func(time.Time) time.Time {
	return func(after time.Time) time.Time {
		wait := max(after.Sub(pod.CreationTimestamp.Time), leastBackOff)
		return after.Add(min(wait, kubeletBackOff) + kubeletSync + toTell)
	}
}

// within returns when the next attempt is due if attempts come at a regular period.
func within(period time.Duration) func(time.Time) time.Time {
	return func(after time.Time) time.Time { return after.Add(period + toTell) }
}
