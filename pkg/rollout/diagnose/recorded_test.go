package diagnose

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// recording is what was read from a real node at one moment, see testdata/README.md.
type recording struct {
	Recorded, Kubernetes, Containerd string
	Now                              time.Time
	Deployment                       *appsv1.Deployment
	ReplicaSet                       *appsv1.ReplicaSet
	Pods                             []*corev1.Pod
	Events                           []*corev1.Event
}

func readRecording(t *testing.T, path string) *Input {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatal(err)
	}
	return &Input{
		Workload: Object{"Deployment", r.Deployment.Name}, Namespace: r.Deployment.Namespace, Deployment: r.Deployment, ReplicaSet: r.ReplicaSet,
		Pods: r.Pods, Events: r.Events, Deadline: 10 * time.Minute, Now: r.Now,
	}
}

// TestRecordings holds what is said of what a real node has told. The file's name is what was made to fail.
func TestRecordings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file string
		// later is how long after the recording it is looked at.
		later         time.Duration
		severity      Severity
		id, container string
		pods          int
		// grace is 0 where there is none.
		grace time.Duration
		tells string
	}{
		{"attach-fails", 0, Warning, FailedAttachVolume, "", 1, 120 * time.Second, "AttachVolume.Attach failed for volume \"disk-attach\" : rpc error"},
		{"attach-fails", 120 * time.Second, Fatal, FailedAttachVolume, "", 1, 120 * time.Second, ""},
		{"attach-never", 0, Fatal, FailedAttachVolume, "", 1, 120 * time.Second, "timed out waiting for external-attacher of disk.example.com CSI driver"},
		{"bad-command", 0, Fatal, RunContainerError, "app", 1, 0, "exec: \"/nope\": stat /nope: no such file or directory"},
		{"configmap-key-missing-env", 15 * time.Second, Fatal, ConfigMapKeyNotFound, "app", 1, 20 * time.Second, "couldn't find key color in ConfigMap"},
		{"configmap-key-missing-volume", 10 * time.Second, Fatal, ConfigMapKeyNotFound, "", 1, 20 * time.Second, "non-existent config key: color"},
		{"configmap-missing-env", 15 * time.Second, Fatal, ConfigMapNotFound, "app", 2, 20 * time.Second, "configmap \"settings\" not found (2 pods alike)"},
		{"configmap-missing-volume", 10 * time.Second, Fatal, ConfigMapNotFound, "", 1, 20 * time.Second, "configmap \"settings\" not found"},
		{"crash-after-ready", 0, Fatal, CrashLoopBackOff, "app", 1, 0, "after 15s, restarts: 2; it runs again for now (exit code 2)"},
		{"crash-between", 0, Fatal, CrashLoopBackOff, "app", 1, 0, "after 4s, restarts: 2; it runs again for now (exit code 2)"},
		{"crash-start", 0, Fatal, CrashLoopBackOff, "app", 2, 0, "restarts: 2 (exit code 3) (2 pods alike)"},
		{"csi", 30 * time.Second, Fatal, FailedMount, "", 1, 90 * time.Second, "driver name nope.example.com not found"},
		{"hostpath", 0, Warning, FailedMount, "", 1, 90 * time.Second, "hostPath type check failed"},
		{"hostpath", 30 * time.Second, Warning, FailedMount, "", 1, 90 * time.Second, ""},
		{"hostport", 0, Warning, NodesUnsuitable, "", 1, 60 * time.Second, "didn't have free ports"},
		{"image-denied", 0, Fatal, ImagePullDenied, "app", 1, 0, "401 Unauthorized"},
		{"image-denied", 0, Fatal, ImagePullDenied, "app", 1, 0, "the pod has no imagePullSecrets"},
		{"image-denied-password-wrong", 0, Fatal, ImagePullDenied, "app", 1, 0, "401 Unauthorized"},
		{"image-denied-password-wrong", 0, Fatal, ImagePullDenied, "app", 1, 0, "imagePullSecrets of the pod: regcred"},
		{"image-denied-scope", 0, Fatal, ImagePullDenied, "app", 1, 0, "pull access denied, repository does not exist or may require authorization"},
		{"image-denied-secret-missing", 0, Fatal, ImagePullDenied, "app", 1, 0, "Unable to retrieve some image pull secrets (regcred)"},
		{"image-denied-token-refused", 0, Fatal, ImagePullDenied, "app", 1, 0, "failed to fetch oauth token: unexpected status: 401 Unauthorized"},
		{"image-name-bad", 0, Fatal, InvalidImageName, "app", 1, 0, "must be lowercase"},
		{"image-never", 0, Fatal, ErrImageNeverPull, "app", 1, 0, "pull policy of Never"},
		{"image-nohost", 0, Warning, RegistryUnavailable, "app", 1, 30 * time.Second, "no such host"},
		{"image-refused", 0, Warning, RegistryUnavailable, "app", 1, 30 * time.Second, "(ImagePullBackOff): failed to pull"},
		{"image-refused", 30 * time.Second, Fatal, RegistryUnavailable, "app", 1, 30 * time.Second, "connection refused"},
		{"image-repo-missing", 0, Fatal, ImageNotFound, "app", 1, 0, "nope:v1: not found"},
		{"image-tag-missing", 0, Fatal, ImageNotFound, "app", 2, 0, "app:v9: not found (2 pods alike)"},
		{"init-fails", 0, Warning, InitContainerFailed, "migrate", 1, 150 * time.Second, "(exit code 3)"},
		{"init-fails", 120 * time.Second, Fatal, InitContainerFailed, "migrate", 1, 150 * time.Second, "(exit code 3)"},
		{"limitrange", 0, Fatal, LimitRangeViolated, "", 0, 0, "replicaset web-"},
		{"liveness-fails", 0, Fatal, LivenessProbeFailed, "app", 1, 0, "Liveness probe failed: HTTP probe failed with statuscode: 500"},
		{"multi-attach", 0, Warning, FailedAttachVolume, "", 1, 120 * time.Second, "Volume is already used by pod(s) web-7f48fb48c-pg6xm"},
		{"multi-attach", 120 * time.Second, Fatal, FailedAttachVolume, "", 1, 120 * time.Second, ""},
		{"nonroot", 15 * time.Second, Fatal, CreateContainerConfigError, "app", 1, 20 * time.Second, "image will run as root"},
		{"oom", 0, Fatal, OOMKilled, "app", 1, 0, "limit of 64Mi (exit code 137)"},
		{"podsecurity", 0, Fatal, PodSecurityViolated, "", 0, 0, "violates PodSecurity"},
		{"policy-denies", 0, Fatal, AdmissionDenied, "", 0, 0, "denied request: images have to be named by digest"},
		{"poststart", 0, Fatal, PostStartHookError, "app", 1, 0, "the postStart hook failed"},
		{"poststart-waiting", 0, Fatal, PostStartHookError, "app", 1, 0, "Exec lifecycle hook ([/nope])"},
		{"prestop", 0, Fatal, LivenessProbeFailed, "app", 1, 0, ""},
		{"pvc-missing", 10 * time.Second, Fatal, PersistentVolumeClaimNotFound, "", 1, 12 * time.Second, "\"data\" not found"},
		{"pvc-unbound", 0, Fatal, PersistentVolumeClaimUnbound, "", 1, 60 * time.Second, "unbound immediate PersistentVolumeClaims"},
		{"quota", 15 * time.Second, Fatal, QuotaExceeded, "", 0, 45 * time.Second, "exceeded quota: small"},
		{"readiness-fails", 0, Warning, ReadinessProbeFailed, "app", 2, 150 * time.Second, "Readiness probe failed: HTTP probe failed with statuscode: 503 (2 pods alike)"},
		{
			"readiness-fails", 150 * time.Second, Fatal, ReadinessProbeFailed, "app", 2, 150 * time.Second,
			"statuscode: 503; it was given 2m30s (a quarter of the progress deadline, since no pod has told yet how long it takes), and a startupProbe or --patience gives it more",
		},
		{"readiness-flaps", 0, Warning, ReadinessProbeFailed, "app", 1, 60 * time.Second, "statuscode: 503"},
		{"replicaset-refused", 0, Warning, ReplicaSetCreateError, "", 0, 10 * time.Second, "exceeded quota: sets"},
		{"replicaset-refused", 10 * time.Second, Fatal, ReplicaSetCreateError, "", 0, 10 * time.Second, ""},
		{"runtimeclass", 30 * time.Second, Fatal, FailedCreatePodSandBox, "", 1, 60 * time.Second, "no runtime for"},
		{"runtimeclass-missing", 0, Fatal, AdmissionDenied, "", 0, 0, "RuntimeClass \"rec-absent\" not found"},
		{"scheduling-gated", 0, Warning, SchedulingGated, "", 1, 0, "example.com/wait"},
		{"seccomp", 15 * time.Second, Fatal, CreateContainerError, "app", 1, 20 * time.Second, "cannot load seccomp profile"},
		{"secret-key-missing-env", 15 * time.Second, Fatal, SecretKeyNotFound, "app", 1, 20 * time.Second, "couldn't find key token in Secret"},
		{"secret-missing-env", 15 * time.Second, Fatal, SecretNotFound, "app", 1, 20 * time.Second, "secret \"login\" not found"},
		{"secret-missing-volume", 10 * time.Second, Fatal, SecretNotFound, "", 1, 20 * time.Second, "secret \"login\" not found"},
		{"serviceaccount-missing", 15 * time.Second, Fatal, ServiceAccountNotFound, "", 0, 15 * time.Second, "serviceaccount \"robot\" not found"},
		{"slow-start", 0, Warning, NotReady, "app", 1, 125 * time.Second, "Startup probe failed"},
		{"slow-start", 60 * time.Second, Warning, NotReady, "app", 1, 125 * time.Second, ""},
		{"startup-fails", 0, Fatal, StartupProbeFailed, "app", 1, 0, "Startup probe failed: HTTP probe failed with statuscode: 503"},
		{"terminating", 0, Warning, StuckTerminating, "", 1, 0, "example.com/hold"},
		{"unschedulable-cpu", 0, Warning, InsufficientResources, "", 1, 60 * time.Second, "1 Insufficient cpu"},
		{"unschedulable-cpu", 60 * time.Second, Fatal, InsufficientResources, "", 1, 60 * time.Second, ""},
		{"unschedulable-selector", 0, Warning, NodesUnsuitable, "", 1, 60 * time.Second, "didn't match Pod's node affinity/selector"},
		{"webhook-away", 0, Warning, AdmissionUnavailable, "", 0, 45 * time.Second, "service \"policy\" not found"},
		{"webhook-away", 45 * time.Second, Fatal, AdmissionUnavailable, "", 0, 45 * time.Second, ""},
		{"webhook-denies", 0, Fatal, AdmissionDenied, "", 0, 0, "\"pods.policy.example.com\" denied the request: images have to be signed"},
		{"webhook-refused", 0, Warning, AdmissionUnavailable, "", 0, 45 * time.Second, "connect: connection refused"},
		{"webhook-slow", 0, Warning, AdmissionUnavailable, "", 0, 45 * time.Second, "context deadline exceeded"},
		{"healthy", 0, "", "", "", 0, 0, ""},
	} {
		in := readRecording(t, filepath.Join("testdata", test.file+".json"))
		in.Now = in.Now.Add(test.later)
		report := Diagnose(in)
		if len(report.Findings) == 0 {
			if test.id != "" {
				t.Errorf("%s: nothing found", test.file)
			}
			continue
		}
		f := &report.Findings[0]
		var length time.Duration
		if f.Grace != nil {
			length = f.Grace.Length
		}
		if f.ID != test.id || f.Severity != test.severity || f.Container != test.container || f.Pods != test.pods || length != test.grace {
			t.Errorf("%s: got %s %s, container %q, %d pods, grace %s: %s", test.file, f.Severity, f.ID, f.Container, f.Pods, length, f)
		}
		if !strings.Contains(f.String()+strings.Join(f.Evidence, " "), test.tells) {
			t.Errorf("%s: %q is missing in %s %q", test.file, test.tells, f, f.Evidence)
		}
		if len(f.Remedy) == 0 || strings.Contains(strings.Join(f.Remedy, ""), "{p") {
			t.Errorf("%s: remedy %q", test.file, f.Remedy)
		}
		if f.Severity == Warning && f.Grace != nil && report.Next.IsZero() {
			t.Errorf("%s: it is not told when to look again", test.file)
		}
		if fatal := report.Fatal(); (fatal != nil) != (f.Severity == Fatal) {
			t.Errorf("%s: fatal is %v", test.file, fatal)
		}
	}
}

func TestEveryRecordingIsTested(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("recorded_test.go")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("testdata/*.json")
	if len(files) < 40 {
		t.Errorf("only %d recordings", len(files))
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".json"); !strings.Contains(string(source), `{"`+name+`"`) {
			t.Errorf("no test looks at %s", file)
		}
	}
}
