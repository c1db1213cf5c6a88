package rollout

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ApplyConflictError reports which fields of a manifest others manage.
type ApplyConflictError struct{ Err error }

// Unwrap returns the API server's answer.
func (e *ApplyConflictError) Unwrap() error { return e.Err }

func (e *ApplyConflictError) Error() string {
	return fmt.Sprintf("%v; take the fields over with --force-conflicts, or remove them from the manifest", e.Err)
}

// conflicting matches how the API server names a field manager in a conflict. The server adds the API version only for a
// manager that updates, not for one that applies.
var conflicting = regexp.MustCompile(`conflict with ("(?:[^"\\]|\\.)*")( with subresource)?.*?( using |$)`)

// conflictsWithOthers returns an apply error with only the conflicts that the rollout may not resolve, or nil if none are left.
// It returns any other error as it is.
func conflictsWithOthers(err error, mayTake func(manager string, operation metav1.ManagedFieldsOperationType) bool) error {
	var status *apierrors.StatusError
	if !apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict) || !errors.As(err, &status) {
		return err
	}
	causes := slices.DeleteFunc(slices.Clone(status.ErrStatus.Details.Causes), func(cause metav1.StatusCause) bool {
		found := conflicting.FindStringSubmatch(cause.Message)
		if found == nil || found[2] != "" {
			return false
		}
		operation := metav1.ManagedFieldsOperationApply
		if found[3] != "" {
			operation = metav1.ManagedFieldsOperationUpdate
		}
		manager, err := strconv.Unquote(found[1])
		return err == nil && mayTake(manager, operation)
	})
	switch len(causes) {
	case 0:
		return nil
	case len(status.ErrStatus.Details.Causes):
		return &ApplyConflictError{Err: err}
	}
	return &ApplyConflictError{Err: apierrors.NewApplyConflict(causes, conflictText(causes))}
}

// conflictText words conflicts as the API server does.
func conflictText(causes []metav1.StatusCause) string {
	if len(causes) == 1 {
		return fmt.Sprintf("Apply failed with 1 conflict: %s: %s", causes[0].Message, causes[0].Field)
	}
	fields := map[string][]string{}
	for _, cause := range causes {
		fields[cause.Message] = append(fields[cause.Message], cause.Field)
	}
	var lines []string
	for _, message := range slices.Sorted(maps.Keys(fields)) {
		lines = append(lines, strings.Replace(message, "conflict ", "conflicts ", 1)+":")
		for _, field := range fields[message] {
			lines = append(lines, "- "+field)
		}
	}
	return fmt.Sprintf("Apply failed with %d conflicts: %s", len(causes), strings.Join(lines, "\n"))
}
