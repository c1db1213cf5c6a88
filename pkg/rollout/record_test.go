package rollout

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
)

func someRecord() *Record {
	final := settingsWith(intstr.FromInt32(2), intstr.FromInt32(0), 7)
	return &Record{
		SchemaVersion: recordVersion,
		Original:      settingsWith(intstr.FromString("25%"), intstr.FromInt32(1), 3),
		Final:         &final,
		From:          Revision{ReplicaSet: "web-1", Number: 4},
		ToRevision:    5,
		Plan: plan.Plan{
			Steps: stepsOf("1,25%,100%"), Limits: limitsOf("1", "0"), Hold: metav1.Duration{Duration: time.Minute}, OnFailure: plan.OnFailureHold,
		},
		Step:      2,
		Note:      json.RawMessage(`{"a":"b"}`),
		StartedAt: metav1.NewTime(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)),
	}
}

func encoded(t *testing.T, change func(r *Record)) string {
	t.Helper()
	record := someRecord()
	change(record)
	text, err := record.encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRecordRoundTrip(t *testing.T) {
	t.Parallel()
	got, err := decodeRecord(encoded(t, func(*Record) {}))
	if err != nil || !apiequality.Semantic.DeepEqual(got, someRecord()) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestRecordsOfAllReleases keeps the annotation readable: every client reads what any other has written, byte for byte.
func TestRecordsOfAllReleases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/records/*.json")
	if err != nil || len(files) < 5 {
		t.Fatalf("records: %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.TrimSpace(string(text))
		record, err := decodeRecord(want)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if got, err := record.encode(); got != want || err != nil {
			t.Errorf("%s: %v\ngot  %s\nwant %s", file, err, got, want)
		}
	}
}

func TestRecordsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"empty":         {"", "does not parse"},
		"no JSON":       {"{", "does not parse"},
		"newer":         {encoded(t, func(r *Record) { r.SchemaVersion = 2 }), "schemaVersion 2"},
		"no step":       {encoded(t, func(r *Record) { r.Step = 0 }), "no step 0"},
		"step too many": {encoded(t, func(r *Record) { r.Step = 4 }), "no step 4"},
		"no steps":      {encoded(t, func(r *Record) { r.Plan.Steps = nil }), "no step 2"},
		"bad steps":     {encoded(t, func(r *Record) { r.Plan.Steps = stepsOf("5,4") }), "no step 2"},
	} {
		if _, err := decodeRecord(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRecordWanted(t *testing.T) {
	t.Parallel()
	record := someRecord()
	if record.Wanted().MinReadySeconds != 7 {
		t.Errorf("a manifest's settings are the ones wanted in the end: %+v", record.Wanted())
	}
	record.Final = nil
	if record.Wanted().MinReadySeconds != 3 {
		t.Errorf("without a manifest the originals are: %+v", record.Wanted())
	}
	if record.Last() || record.Target(8) != 2 {
		t.Errorf("last %v, target %d", record.Last(), record.Target(8))
	}
	if record.ownLimits() {
		t.Error("1/0 are not the Deployment's own limits")
	}
	record.Plan.Limits = limitsOf("25%", "1")
	if !record.ownLimits() {
		t.Error("25%/1 are the Deployment's own limits")
	}
}

func TestOpenRollout(t *testing.T) {
	t.Parallel()
	record := encoded(t, func(r *Record) { r.Final = nil })
	opened := encoded(t, func(r *Record) {
		r.Final = nil
		r.opens(Width{Surge: 1}.Strategy(8, limitsOf("1", "0")))
	})
	gatedSpec := func(d *appsv1.Deployment) {
		settings := gated(Width{Surge: 1}.Strategy(8, limitsOf("1", "0")))
		d.Spec.Strategy, d.Spec.MinReadySeconds, d.Spec.ProgressDeadlineSeconds = settings.Strategy, settings.MinReadySeconds, settings.ProgressDeadlineSeconds
	}
	ungated := encoded(t, func(r *Record) { r.Ungated = true })
	unlimited := func(d *appsv1.Deployment) {
		d.Spec.ProgressDeadlineSeconds = ptr.To[int32](GateProgressDeadlineSeconds)
	}
	for name, test := range map[string]struct {
		own    string
		copies []string
		spec   func(d *appsv1.Deployment)
		want   State
		step   int
		err    string
	}{
		"nothing":                        {want: Idle},
		"a stale copy on a ReplicaSet":   {copies: []string{record}, want: Idle},
		"a stale annotation":             {own: record, want: Idle},
		"a stale annotation, unparsed":   {own: "?", want: Idle},
		"open":                           {own: record, spec: gatedSpec, want: Open, step: 2},
		"open, only on a ReplicaSet":     {copies: []string{record}, spec: gatedSpec, want: Open, step: 2},
		"open, own record unparsed":      {own: "?", copies: []string{record}, spec: gatedSpec, want: Open, step: 2},
		"open, a newer rollout's copy":   {own: encoded(t, func(r *Record) { r.ToRevision = 2 }), copies: []string{record}, spec: gatedSpec, want: Open, step: 2},
		"open, its own copy lags":        {own: encoded(t, func(r *Record) { r.Step = 3 }), copies: []string{record}, spec: gatedSpec, want: Open, step: 3},
		"open, record gone":              {spec: gatedSpec, want: Open, err: "is gone"},
		"open, record unreadable":        {own: "?", spec: gatedSpec, want: Open, err: "does not parse"},
		"open, record of a newer client": {own: encoded(t, func(r *Record) { r.SchemaVersion = 9 }), spec: gatedSpec, want: Open, err: "schemaVersion 9"},
		"open, has left its gate":        {own: ungated, spec: unlimited, want: Open, step: 2},
		"open, left gate on a copy":      {copies: []string{ungated}, spec: unlimited, want: Open, step: 2},
		"ended, a copy that has left":    {copies: []string{ungated}, want: Idle},
		"no deadline, nothing recorded":  {spec: unlimited, want: Idle},
		"rolling back": {own: encoded(t, func(r *Record) { r.RollingBack = true }), spec: func(d *appsv1.Deployment) {
			d.Spec.Strategy = settingsWith(intstr.FromInt32(1), intstr.FromInt32(0), 0).Strategy
		}, want: RollingBack, step: 2},
		"rolled back, limits restored": {own: encoded(t, func(r *Record) { r.RollingBack = true }), want: Idle},
		"gate opened by others": {own: record, spec: func(d *appsv1.Deployment) {
			gatedSpec(d)
			d.Spec.MinReadySeconds = 0
		}, want: Disturbed, step: 2},
		"no deadline is the Deployment's own": {own: encoded(t, func(r *Record) {
			r.Final, r.Original.ProgressDeadlineSeconds = nil, ptr.To[int32](GateProgressDeadlineSeconds)
		}), spec: unlimited, want: Idle},
		"gate opened by others, and the deadline set": {own: opened, spec: func(d *appsv1.Deployment) {
			gatedSpec(d)
			d.Spec.MinReadySeconds, d.Spec.ProgressDeadlineSeconds = 3, ptr.To[int32](600)
		}, want: Disturbed, step: 2},
		"all set by others":                 {own: opened, want: Idle},
		"all set by others, a copy is left": {copies: []string{opened}, spec: unlimited, want: Disturbed, step: 2},
		"its own strategy is the gate's": {own: encoded(t, func(r *Record) {
			r.Final = nil
			r.opens(r.Original.Strategy)
		}), want: Idle},
	} {
		settings := settingsWith(intstr.FromString("25%"), intstr.FromInt32(1), 3)
		d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{
			Strategy: settings.Strategy, MinReadySeconds: settings.MinReadySeconds, ProgressDeadlineSeconds: settings.ProgressDeadlineSeconds,
		}}
		if test.own != "" {
			d.Annotations = map[string]string{Annotation: test.own}
		}
		if test.spec != nil {
			test.spec(d)
		}
		var sets []*appsv1.ReplicaSet
		for _, text := range test.copies {
			sets = append(sets, &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{Annotation: text}}})
		}
		state, found, err := OpenRollout(d, sets)
		switch {
		case state != test.want, !strings.Contains(errorOf(err), test.err), (err != nil) != (test.err != ""):
			t.Errorf("%s: state %d, %v; want %d, %q", name, state, err, test.want, test.err)
		case test.step != 0 && (found == nil || found.Step != test.step):
			t.Errorf("%s: record %+v", name, found)
		}
	}
}
