package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout"
)

// affectedWorkload is one that is to be rolled out.
type affectedWorkload struct {
	workload rollout.Workload
	judgment configmap.Judgment
	// inPlace is why its template keeps the plain name, empty where it is to reference a version.
	inPlace string
	// before is its template before it was rolled out.
	before map[string]any
}

// choose picks who is to be rolled out, and in which mode.
func (c *changer) choose(ctx context.Context, affected []configmap.Affected) error {
	c.out, c.pin = nil, &pin{}
	for i := range affected {
		a := &affected[i]
		if a.Verdict != configmap.Restart && (a.Verdict != configmap.Live || c.flags.keepLive) {
			continue
		}
		workload, err := c.workload(ctx, a.Kind, a.Name)
		if err != nil {
			return err
		}
		if workload == nil {
			continue // of a kind that this program does not roll out
		}
		w := &affectedWorkload{workload: workload, judgment: a.Judgment}
		switch {
		case c.flags.inPlace:
			w.inPlace = "--in-place"
		case !c.flags.pin:
			w.inPlace = configmap.Elsewhere(workload, rollout.PodTemplateOf(workload), c.head.object, c.store.fieldManager)
		}
		c.out = append(c.out, w)
	}
	return nil
}

// workload reads a workload, nil for one of another kind.
func (s *configSession) workload(ctx context.Context, kind, name string) (rollout.Workload, error) {
	apps := s.engine.Client.AppsV1()
	switch kind {
	case "Deployment":
		return apps.Deployments(s.namespace).Get(ctx, name, metav1.GetOptions{})
	case "StatefulSet":
		return apps.StatefulSets(s.namespace).Get(ctx, name, metav1.GetOptions{})
	case "DaemonSet":
		return apps.DaemonSets(s.namespace).Get(ctx, name, metav1.GetOptions{})
	}
	return nil, nil
}

// told says of a workload in which mode it is rolled out where that is not the usual one.
func (w *affectedWorkload) told() string {
	if w.inPlace == "" {
		return ""
	}
	text := fmt.Sprintf("%s keeps the plain name (%s)", nameOf(w.workload), w.inPlace)
	live := slices.ContainsFunc(w.judgment.Reasons, func(r configmap.Reason) bool { return r.Effect == configmap.Live })
	if pods := podsOf(w.workload); live && pods > 0 {
		return fmt.Sprintf("%s: its %d running pods see mounted files change before their step", text, pods)
	}
	return text + ": a container that restarts before its step sees the change"
}

func podsOf(workload rollout.Workload) int32 {
	switch w := workload.(type) {
	case *appsv1.Deployment:
		return w.Status.Replicas
	case *appsv1.StatefulSet:
		return w.Status.Replicas
	case *appsv1.DaemonSet:
		return w.Status.CurrentNumberScheduled
	}
	return 0
}

// change gives the template the version: as what it references, or in place as what it notes.
func (w *affectedWorkload) change(p *pin) change {
	return change{workload: w.workload, rewrite: func(template map[string]any) error {
		w.before = runtime.DeepCopyJSON(template)
		if w.inPlace == "" {
			p.rename(template)
		} else {
			p.record(template)
		}
		return nil
	}}
}

// back gives the template what it was before.
func (w *affectedWorkload) back() change {
	return change{workload: w.workload, rewrite: func(template map[string]any) error {
		clear(template)
		maps.Copy(template, w.before)
		return nil
	}}
}

// perform writes the version and the object, and rolls out who is affected, one after another.
func (c *changer) perform(ctx context.Context, same bool) error {
	if err := c.prepare(ctx, false); err != nil {
		return err
	}
	written := c.head
	if !same {
		var err error
		if written, err = c.write(ctx, c.head, c.want, false); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(c.env.Out, "%s changed\n", c.head.object)
	}
	if c.flags.noRestart {
		return nil
	}
	settled := configmap.Settled{Workloads: map[types.UID]bool{}, Versions: map[configmap.Object]bool{}}
	var failure error
	for i, w := range c.out {
		change := w.change(c.pin)
		// Before its old pods come back, or those in place would start with what has just failed.
		change.returning = func(ctx context.Context) {
			if c.restored == nil {
				c.restored = new(c.restore(ctx, written))
			}
		}
		err := c.roll(ctx, change)
		if err == nil {
			settled.Workloads[w.workload.GetUID()] = true
			continue
		}
		failure = c.failed(ctx, i, err, written)
		if exitCode(failure) == ExitRolledBack {
			settled.Versions = c.pin.objects()
			for _, of := range c.out {
				settled.Workloads[of.workload.GetUID()] = true
			}
		}
		break
	}
	c.tidy(ctx, []configmap.Kind{c.head.object.Kind}, settled)
	return failure
}

// failed answers a rollout that did not come out well. What has gone back by itself takes the object along, and those that
// were rolled out before.
func (c *changer) failed(ctx context.Context, at int, failure error, written *head) error {
	name, next := nameOf(c.out[at].workload), fmt.Sprintf("'%s restart --config %s -n %s' rolls out the rest", displayName, c.head.object, c.namespace)
	code := exitCode(failure)
	text := strings.TrimPrefix(errorText(failure), "error: ")
	began := code == ExitRolledBack || code == ExitError || code == ExitUsage
	if context.Cause(ctx) != nil || !began {
		return &exitError{code: code, err: fmt.Errorf("%s; %s stays changed, and %s", text, c.head.object, next)}
	}
	_, _ = fmt.Fprintf(c.env.ErrOut, "%s: the change of %s is taken back\n", name, c.head.object)
	var undone []error
	if c.restored == nil {
		c.restored = new(c.restore(ctx, written))
	}
	undone = append(undone, *c.restored)
	for i := at - 1; i >= 0; i-- {
		if err := c.roll(ctx, c.out[i].back()); err != nil {
			undone = append(undone, fmt.Errorf("%s was not brought back: %w", nameOf(c.out[i].workload), err))
		}
	}
	if errors.Join(undone...) != nil {
		return fmt.Errorf("%s; not all could be taken back: %w", text, errors.Join(undone...))
	}
	return &exitError{code: ExitRolledBack, err: fmt.Errorf("%s; %s and all that references it are as they were", text, c.head.object)}
}

// restore gives the object back what it held, unless somebody has changed it since.
func (c *changer) restore(ctx context.Context, written *head) error {
	if c.head.read == nil || written == c.head {
		return nil
	}
	_, err := c.write(ctx, written, c.head.content, false)
	return err
}

// record notes in a template which version its pods are rolled with, without referencing it.
func (p *pin) record(template map[string]any) {
	names := map[configmap.Object]bool{}
	configmap.Rename(template, func(object configmap.Object) (string, bool) {
		names[object] = true
		return "", false
	})
	for head, version := range p.versions {
		if !names[head] {
			continue
		}
		annotate(template, configmap.RecordKey(head), version.Object.Name)
	}
}

func annotate(template map[string]any, key, value string) {
	metadata, _ := template["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
		template["metadata"] = metadata
	}
	annotations, _ := metadata["annotations"].(map[string]any)
	if annotations == nil {
		annotations = map[string]any{}
		metadata["annotations"] = annotations
	}
	annotations[key] = value
}
