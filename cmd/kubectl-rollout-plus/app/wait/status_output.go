package wait

import (
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/printers"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/diagnose"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

// revisionTimeout limits the request for the revision in a JSON document.
const revisionTimeout = 5 * time.Second

// line prints kubectl's text about an object if it has changed.
func (t *statusTarget) line(text string) {
	if text == t.told {
		return
	}
	t.told = text
	if t.Output != "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprint(t.env.Out, text) // the write fails only if the reader is gone
}

// note prints a line that kubectl does not have.
func (r *statusRun) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.env.Tell("%s", text)
}

// warn prints warnings of what may block the rollout later. It does so only if the command waits.
func (r *statusRun) warn(_ time.Time, event rollout.Event) {
	found, is := event.(rollout.FindingEvent)
	if !is || found.Finding.Severity != diagnose.Warning || !r.Watch {
		return
	}
	if found.Again {
		r.note(printers.Reminder(found.Finding.Connected(r.env.Connection())))
		return
	}
	r.note(printers.Finding(found.Finding.Connected(r.env.Connection())))
	r.blame(found.Finding, false, 0)
}

// blame shows a finding in GitHub Actions. If the rollout fails, it also prints the whole finding, unless the output is
// JSON, which contains it. revision is the failing revision, or 0 if unknown.
func (r *statusRun) blame(finding *rollout.Finding, fails bool, revision int64) {
	if fails && r.Leaves {
		finding.Leave(revision)
	}
	if fails && r.Output == "" {
		r.note(printers.Finding(finding.Connected(r.env.Connection())))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.env.Annotate([]rollout.Finding{*finding})
}

// tellBlind prints once, for all objects, that causes cannot be seen because a right is missing.
func (t *statusTarget) tellBlind() {
	if t.view.Blind == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.toldBlind {
		return
	}
	t.toldBlind = true
	t.env.Tell("pods that fail are not seen: %v", t.view.Blind)
}

// tellObstacle prints once for each pod that a StatefulSet waits for it.
func (t *statusTarget) tellObstacle() {
	if obstacle := t.view.Obstacle; obstacle.Pod != "" && obstacle.Pod != t.obstacle {
		t.obstacle = obstacle.Pod
		t.note(obstacle.Text)
	}
}

// heldBack returns the text to print while kubectl's success line is not true yet. It prints the reason once.
func (t *statusTarget) heldBack(text string) string {
	if !t.Watch {
		return text
	}
	if lacks := t.view.Lacks; lacks != "" && !t.toldLack {
		t.toldLack = true
		t.note(fmt.Sprintf("%s is not complete: %s", t.object, lacks))
	}
	return t.told
}

// tellGoingBack prints once why the rollout is about to go back.
func (t *statusTarget) tellGoingBack() {
	if t.view.GoingBack && !t.toldWhy {
		t.toldWhy = true
		t.blame(t.view.Finding, true, 0)
	}
}

// tellPartition prints how many pods of a StatefulSet its partition holds back. kubectl's line does not show that.
func (t *statusTarget) tellPartition() {
	set, is := t.view.Workload.(*appsv1.StatefulSet)
	if !is || t.view.Phase != workload.Partitioned || !t.Watch || t.Output != "" {
		return
	}
	counts := workload.PodCountsOf(set)
	t.note(fmt.Sprintf("%s keeps %d of %d pods at the earlier revision (partition %d)",
		t.object, counts.Total-counts.Updated, counts.Total, *set.Spec.UpdateStrategy.RollingUpdate.Partition))
}

// tellEmpty prints that the rollout of a workload without pods proves nothing. kubectl's line does not show that.
func (t *statusTarget) tellEmpty() {
	if t.Watch && t.Output == "" && workload.PodCountsOf(t.view.Workload).Desired == 0 {
		t.note(fmt.Sprintf("%s: no pods are wanted, so none shows that its newest version works", t.object))
	}
}

// tellEnding prints that pods are still ending, after a change that the command itself has made. kubectl's status does not
// show that.
func (t *statusTarget) tellEnding() {
	if t.settles && t.view.Ending != "" {
		t.note(fmt.Sprintf("%s: %s", t.object, t.view.Ending))
	}
}

// document prints the JSON of an object when its rollout has ended, or after a single look.
func (t *statusTarget) document(ctx context.Context, phase workload.Phase, err error) {
	if t.Output == "" {
		return
	}
	status := &printers.Status{
		Object: t.object, Phase: phase, Message: strings.TrimSuffix(t.told, "\n"),
	}
	view := *t.view
	view.Finding = view.Finding.Connected(t.env.Connection())
	status.View = &view
	// The revision is read even after --timeout.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revisionTimeout)
	defer cancel()
	status.Revision = t.engine.NewestRevision(ctx, t.view.Workload)
	if err != nil {
		status.Message = t.env.Connection().Text(err.Error())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	printers.WriteStatus(t.env.Out, status)
}

// unread prints the JSON of an object that could not be read, and returns the error. A script gets a document for every
// object that it names.
func (r *statusRun) unread(info *resource.Info, err error) error {
	if r.Output == "" {
		return err
	}
	status := &printers.Status{Object: cli.ObjectIn(info), Phase: workload.PhaseUnknown, Message: r.env.Connection().Text(err.Error())}
	if apierrors.IsNotFound(err) {
		status.Phase = workload.PhaseNotFound
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	printers.WriteStatus(r.env.Out, status)
	return err
}
