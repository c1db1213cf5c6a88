package rollout

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/plan"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/rollout/workload"
)

const (
	// mostAlike is how often others may write the same strategy before a rollout stops.
	mostAlike = 2
	// mostRewrites is how often others may write any strategy before a rollout stops.
	mostRewrites = 4
)

// rewrites hold the strategies that others wrote over the one that holds a rollout at its step.
type rewrites struct {
	// move is the number of our own write that others replaced last.
	move   int
	values []string
}

// with returns the rewrites with one more, unless it was counted before. It reports whether there are too many by now.
func (r rewrites) with(move int, value string) (rewrites, bool) {
	if r.move != move || len(r.values) == 0 {
		r = rewrites{move: move, values: append(slices.Clone(r.values), value)}
	}
	alike := 0
	for _, before := range r.values {
		if before == value {
			alike++
		}
	}
	return r, alike >= mostAlike || len(r.values) >= mostRewrites
}

// insists returns a message about who writes a strategy again and again.
func insists(w workload.Object, record *Record, times int, value, field string) string {
	return fmt.Sprintf("spec.%s was written%s over the one that holds the rollout at its step, %d times by now, last as %s",
		field, strategyWriter(w, record), times, value)
}

// strategyText returns a strategy in words.
func strategyText(strategy appsv1.DeploymentStrategy) string {
	if strategy.Type != appsv1.RollingUpdateDeploymentStrategyType {
		return string(strategy.Type)
	}
	limits := plan.LimitsOf(strategy)
	return fmt.Sprintf("maxSurge %s, maxUnavailable %s", limits.Surge.String(), limits.Unavailable.String())
}

// writerOf returns the manager that wrote one of the fields over our own value, with a preposition, or "" if it is not known. The
// API server makes whoever changes a field its owner. Times have full seconds: of two managers in one second none is named.
func writerOf(w workload.Object, fields ...[]string) string {
	var found *metav1.ManagedFieldsEntry
	unclear := false
	entries := w.GetManagedFields()
	for i := range entries {
		entry := &entries[i]
		if entry.Subresource != "" || entry.Time == nil || entry.FieldsV1 == nil || holdsRecord(entry) || !ownsAny(entry, fields) {
			continue
		}
		if found == nil || found.Time.Before(entry.Time) {
			found, unclear = entry, false
		} else if found.Time.Equal(entry.Time) && found.Manager != entry.Manager {
			unclear = true
		}
	}
	switch {
	case unclear:
		return ""
	case found == nil:
		return lastWriter(w)
	}
	return fmt.Sprintf(" by %s at %s", found.Manager, found.Time.UTC().Format(time.TimeOnly))
}

// strategyWriter returns who wrote a workload's strategy over the one that holds the rollout. Only the fields that differ
// count: whoever created the workload still owns the others.
func strategyWriter(w workload.Object, record *Record) string {
	return writerOf(w, strategyFields(w, record)...)
}

// strategyFields returns the fields of a workload's strategy that differ from what the rollout wrote.
func strategyFields(workload workload.Object, record *Record) [][]string {
	switch w := workload.(type) {
	case *appsv1.Deployment:
		ours := record.inForce(w).Strategy
		if ours.Type != w.Spec.Strategy.Type {
			return [][]string{{"spec", "strategy", "type"}}
		}
		var fields [][]string
		a, b := plan.LimitsOf(ours), plan.LimitsOf(w.Spec.Strategy)
		if a.Surge != b.Surge {
			fields = append(fields, []string{"spec", "strategy", "rollingUpdate", "maxSurge"})
		}
		if a.Unavailable != b.Unavailable {
			fields = append(fields, []string{"spec", "strategy", "rollingUpdate", "maxUnavailable"})
		}
		return fields
	case *appsv1.StatefulSet:
		if w.Spec.UpdateStrategy.Type == appsv1.RollingUpdateStatefulSetStrategyType {
			return [][]string{{"spec", "updateStrategy", "rollingUpdate", "partition"}}
		}
	}
	return [][]string{{"spec", "updateStrategy", "type"}}
}

// holdsRecord reports whether an entry belongs to the manager that wrote the record.
func holdsRecord(entry *metav1.ManagedFieldsEntry) bool {
	return strings.Contains(entry.FieldsV1.GetRawString(), `"f:`+Annotation+`"`)
}

// ownsAny reports whether a manager owns one of the fields, or one below it.
func ownsAny(entry *metav1.ManagedFieldsEntry, fields [][]string) bool {
	return slices.ContainsFunc(fields, func(field []string) bool { return ownsWithin(entry, field) })
}

// ownsWithin reports whether a manager owns the field at a path, or one below it.
func ownsWithin(entry *metav1.ManagedFieldsEntry, path []string) bool {
	var owned fieldpath.Set
	if err := owned.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
		return false
	}
	within := &owned
	for i, name := range path {
		element := fieldpath.PathElement{FieldName: &name}
		if i == len(path)-1 && within.Members.Has(element) {
			return true
		}
		within = within.WithPrefix(element)
	}
	return !within.Empty()
}
