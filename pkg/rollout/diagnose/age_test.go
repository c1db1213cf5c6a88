package diagnose

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// follow gives an input what the report before it had.
func follow(in *Input, before Report) *Input {
	in.Seen, in.Proven, in.Runs, in.Room = before.Seen, before.Proven, before.Runs, before.Room
	return in
}

func refusedSince(seconds int, message string) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "web-1", UID: "web-1"},
		Status: appsv1.ReplicaSetStatus{Conditions: []appsv1.ReplicaSetCondition{{
			Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: message, LastTransitionTime: at(seconds),
		}}},
	}
}

func refusedAgain(seconds int, message string) *corev1.Event {
	return &corev1.Event{
		InvolvedObject: corev1.ObjectReference{UID: "web-1"}, Reason: FailedCreate, Message: "Error creating: " + message,
		FirstTimestamp: at(seconds), LastTimestamp: at(seconds),
	}
}

// A ReplicaSet's condition tells of the first attempt alone. What was refused before the command is no proof, and the attempt at
// the end of the grace decides.
func TestARefusalIsJudgedByTheNextAttempt(t *testing.T) {
	t.Parallel()
	const security, account = `violates PodSecurity "restricted:latest"`, `error looking up service account shop/robot: serviceaccount "robot" not found`
	for name, test := range map[string]struct {
		message          string
		since, again     int
		text             string
		after, now       int
		retried          int
		retries, isFatal bool
	}{
		"at once":                              {message: security, since: 10, after: 10, now: 10, isFatal: true},
		"before the command":                   {message: security, since: 10, after: 100, now: 110},
		"again after it began":                 {message: security, since: 10, again: 101, after: 100, now: 101, isFatal: true},
		"again before it began":                {message: security, since: 10, again: 99, after: 100, now: 101},
		"made to try again":                    {message: security, since: 10, after: 100, now: 104, retried: 101, retries: true, isFatal: true},
		"which has yet to answer":              {message: security, since: 10, after: 100, now: 102, retried: 101, retries: true},
		"within the grace":                     {message: account, since: 10, again: 20, after: 10, now: 24},
		"no attempt since the grace":           {message: account, since: 10, again: 20, after: 10, now: 26},
		"an attempt since the grace":           {message: account, since: 10, again: 25, after: 10, now: 26, isFatal: true},
		"the controller has let its time pass": {message: account, since: 10, again: 20, after: 10, now: 42, isFatal: true},
		"the grace begins with the command":    {message: account, since: 10, again: 112, after: 100, now: 113},
		"for another cause by now":             {message: account, since: 10, again: 20, text: security, after: 15, now: 21, isFatal: true},
	} {
		in := inputOf(test.now)
		in.After, in.Retries = at(test.after).Time, test.retries
		if in.ReplicaSet = refusedSince(test.since, test.message); test.again > 0 {
			if test.text == "" {
				test.text = test.message
			}
			in.Events = []*corev1.Event{refusedAgain(test.again, test.text)}
		}
		if test.retried > 0 {
			in.Retried = at(test.retried).Time
		}
		report := Diagnose(in)
		if (report.Fatal() != nil) != test.isFatal {
			t.Errorf("%s: got %s, next %s", name, summary(report), report.Next)
		}
		if !test.isFatal && (report.Next.IsZero() || report.Refused.Name != "web-1") {
			t.Errorf("%s: nobody looks again", name)
		}
	}
}

// A controller is made to try again as soon as there is room: the pod that held it has gone, though no watch tells of quotas.
func TestTheGraceOfAQuotaBeginsWhenTheLastPodHasGone(t *testing.T) {
	t.Parallel()
	draining, end := podWith("o", runs(0)), at(60)
	draining.DeletionTimestamp = &end
	look := func(now int, before Report, others ...*corev1.Pod) Report {
		in := inputOf(now)
		in.After, in.Retries, in.Others, in.ReplicaSet = at(0).Time, true, others, refusedSince(0, "exceeded quota: q")
		return Diagnose(follow(in, before))
	}
	first := look(1, Report{Seen: Seen{}}, draining)
	gone := look(50, first)
	if gone.Fatal() != nil || gone.Retry.After(at(51).Time) {
		t.Errorf("when it has gone: %s, to be tried again at %s", summary(gone), gone.Retry)
	}
	if later := look(95, gone); later.Fatal() != nil {
		t.Errorf("before the grace is over: %s", summary(later))
	}
	if last := look(105, gone); last.Fatal() == nil {
		t.Errorf("after that: %s", summary(last))
	}
}

// Restarts from before the command prove nothing: two runs that began since do.
func TestACrashLoopIsJudgedAfresh(t *testing.T) {
	t.Parallel()
	crashed := func(restarts int32, start, end int) *corev1.Pod {
		status := waits("CrashLoopBackOff", "back-off 20s restarting failed container")
		status.RestartCount, status.LastTerminationState = restarts, ended(1, "Error", start, end)
		return podWith("a", status)
	}
	before := Report{Seen: Seen{}}
	for _, step := range []struct {
		now  int
		pod  *corev1.Pod
		want string
	}{
		{101, crashed(3, 88, 89), "warning CrashLoopBackOff 1"},
		{112, crashed(4, 110, 111), "warning CrashLoopBackOff 1"},
		{155, crashed(5, 152, 153), "fatal CrashLoopBackOff 1"},
	} {
		in := inputOf(step.now, step.pod)
		in.After = at(100).Time
		if before = Diagnose(follow(in, before)); summary(before) != step.want {
			t.Errorf("after %d s: got %s, want %s", step.now, summary(before), step.want)
		}
	}
	fresh := crashed(1, 101, 101)
	fresh.CreationTimestamp = at(100)
	in := inputOf(102, fresh)
	in.After = at(100).Time
	if got := summary(Diagnose(in)); got != "fatal CrashLoopBackOff 1" {
		t.Errorf("of a pod of the command's own: got %s", got)
	}
}

// A container that nobody starts again fails its pod whenever it ended. One that has run well since before the command is not
// reported.
func TestOldEnds(t *testing.T) {
	t.Parallel()
	never := corev1.ContainerRestartPolicyNever
	for name, c := range map[string]struct {
		policy         *corev1.ContainerRestartPolicy
		status         corev1.ContainerStatus
		want, evidence string
	}{
		"ended for good":    {&never, corev1.ContainerStatus{State: ended(3, "Error", 1, 5)}, "fatal ContainerEnded 1", ""},
		"starts again soon": {nil, corev1.ContainerStatus{State: ended(3, "Error", 1, 5)}, "warning ContainerRestarted 1", "by a run that began before this command; the kubelet starts it again by 12:00:20Z"},
		"ended anew":        {nil, corev1.ContainerStatus{State: ended(3, "Error", 100, 101)}, "warning ContainerRestarted 1", "it ended last at 12:01:41Z; the kubelet starts it again by 12:01:56Z"},
		"runs well again":   {nil, wellAnew("app", 20, ended(3, "Error", 1, 5)), "", ""},
		"runs again":        {nil, wellAnew("app", 95, ended(3, "Error", 1, 5)), "warning ContainerRestarted 1", "by a run that began before this command; it runs again since 12:01:35Z"},
	} {
		pod := podWith("a", c.status)
		pod.Spec.Containers[0].RestartPolicy = c.policy
		if c.status.Ready {
			pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: at(20)}}
		}
		in := inputOf(101, pod)
		in.After = at(100).Time
		report := Diagnose(in)
		if got := summary(report); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		for _, f := range report.Findings {
			if got := strings.Join(f.Evidence, "; "); !strings.HasSuffix(got, c.evidence) || c.evidence == "" && got != "" {
				t.Errorf("%s: got evidence %q, want %q", name, got, c.evidence)
			}
		}
	}
}

// What the kubelet tries again from time to time is not judged by an attempt before the command, whatever it is.
func TestOldAttemptsOfTheKubeletAreNoProof(t *testing.T) {
	t.Parallel()
	image := podWith("a", waits("ImagePullBackOff", `Back-off pulling image "x": ErrImagePull: manifest unknown`))
	missing := podWith("a", waits("CreateContainerConfigError", `configmap "settings" not found`))
	mount := podWith("a", waits("ContainerCreating", ""))
	for name, test := range map[string]struct {
		pod     *corev1.Pod
		event   *corev1.Event
		after   int
		last    int
		now     int
		isFatal bool
	}{
		"image, pulled before":         {image, about(image, "app", "Failed", `Failed to pull image "x": manifest unknown`, 0), 100, 90, 110, false},
		"image, pulled since":          {image, about(image, "app", "Failed", `Failed to pull image "x": manifest unknown`, 0), 100, 105, 110, true},
		"image, of a new pod":          {image, nil, 0, 0, 1, true},
		"ConfigMap, looked for before": {missing, about(missing, "app", "Failed", `Error: configmap "settings" not found`, 0), 100, 90, 119, false},
		"ConfigMap, in its grace":      {missing, about(missing, "app", "Failed", `Error: configmap "settings" not found`, 0), 0, 12, 25, false},
		"ConfigMap, after its grace":   {missing, about(missing, "app", "Failed", `Error: configmap "settings" not found`, 0), 0, 24, 25, true},
		"volume, in its grace":         {mount, about(mount, "", "FailedMount", `MountVolume.SetUp failed for volume "c" : configmap "settings" not found`, 0), 0, 16, 25, false},
		"volume, after its grace":      {mount, about(mount, "", "FailedMount", `MountVolume.SetUp failed for volume "c" : configmap "settings" not found`, 0), 0, 31, 32, true},
	} {
		in := inputOf(test.now, test.pod)
		if in.After = at(test.after).Time; test.event != nil {
			test.event.LastTimestamp = at(test.last)
			in.Events = []*corev1.Event{test.event}
		}
		if report := Diagnose(in); (report.Fatal() != nil) != test.isFatal {
			t.Errorf("%s: got %s, next %s", name, summary(report), report.Next)
		}
	}
}

// An application may end until what it waits for is there: where it did so in pods that became ready, it is given time.
func TestAContainerThatEndsAsTheOldOnesDid(t *testing.T) {
	t.Parallel()
	loops := waits("CrashLoopBackOff", "back-off 10s restarting failed container")
	loops.RestartCount, loops.LastTerminationState = 1, ended(1, "Error", 101, 101)
	old := func(code int32, end, ready int) *corev1.Pod {
		status := runs(end + 1)
		status.RestartCount, status.LastTerminationState = 2, ended(code, "Error", end-1, end)
		return isReady(podWith("o", status), ready)
	}
	for name, test := range map[string]struct {
		others   []*corev1.Pod
		patience time.Duration
		now      int
		want     string
	}{
		"old pods did not":          {nil, 0, 102, "fatal CrashLoopBackOff 1"},
		"old pods did":              {[]*corev1.Pod{old(1, 5, 9)}, 0, 102, "warning CrashLoopBackOff 1"},
		"with another code":         {[]*corev1.Pod{old(2, 5, 9)}, 0, 102, "fatal CrashLoopBackOff 1"},
		"long after they were made": {[]*corev1.Pod{old(1, 5000, 5009)}, 0, 5102, "fatal CrashLoopBackOff 1"},
		"with patience":             {nil, 2 * time.Minute, 219, "warning CrashLoopBackOff 1"},
	} {
		pod := podWith("a", loops)
		pod.CreationTimestamp = at(100)
		in := inputOf(test.now, pod)
		in.After, in.Others, in.Patience = at(100).Time, test.others, test.patience
		if got := summary(Diagnose(in)); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// A pod that has a node chosen for it, or whose volume is being provided, is looked at.
func TestAPodWhoseNodeIsChosen(t *testing.T) {
	t.Parallel()
	bare := podWith("a", corev1.ContainerStatus{})
	bare.Spec.NodeName, bare.Status.ContainerStatuses, bare.Status.Conditions = "", nil, nil
	nominated := bare.DeepCopy()
	nominated.Status.NominatedNodeName = "n1"
	preempts := unscheduled("a", "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible")
	preempts.Status.NominatedNodeName = "n1"
	claims := bare.DeepCopy()
	claims.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"},
	}}}
	waiting := unscheduled("a", "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
	waiting.Spec.Volumes = claims.Spec.Volumes
	claim := func(annotation string) *corev1.PersistentVolumeClaim {
		return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "data", Annotations: map[string]string{annotation: "n1"}}}
	}
	for name, test := range map[string]struct {
		pod     *corev1.Pod
		claim   *corev1.PersistentVolumeClaim
		unknown bool
		want    string
	}{
		"no scheduler":              {bare, nil, false, "fatal NotScheduled 1"},
		"nominated":                 {nominated, nil, false, "warning NodeNominated 1"},
		"others make room":          {preempts, nil, false, "warning InsufficientResources 1"},
		"a volume is provided":      {claims, claim("volume.kubernetes.io/selected-node"), false, "warning VolumeProvisioning 1"},
		"none is":                   {claims, claim("other"), false, "fatal NotScheduled 1"},
		"claims cannot be read":     {claims, nil, true, "warning NotScheduled 1"},
		"one is, before scheduling": {waiting, claim("volume.kubernetes.io/storage-provisioner"), false, "warning PersistentVolumeClaimUnbound 1"},
		"nobody provides one":       {waiting, claim("other"), false, "fatal PersistentVolumeClaimUnbound 1"},
	} {
		in := inputOf(0, test.pod)
		if in.NoClaims = test.unknown; test.claim != nil {
			in.Claims = []*corev1.PersistentVolumeClaim{test.claim}
		}
		first := Diagnose(in)
		in.Now = at(120).Time
		if got := summary(Diagnose(follow(in, first))); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// A pod that takes longer to start than usual is worth a word long before it fails.
func TestAPodThatIsSlowIsToldOf(t *testing.T) {
	t.Parallel()
	for now, want := range map[int]bool{2: false, 3: true} {
		report := Diagnose(inputOf(now, podWith("a", runs(0))))
		if f := &report.Findings[0]; f.Slow() != want || !f.Starting() {
			t.Errorf("after %d s: slow is %v", now, f.Slow())
		}
		if !want && !report.Next.Equal(at(3).Time) {
			t.Errorf("it is looked at next at %s", report.Next)
		}
	}
}
