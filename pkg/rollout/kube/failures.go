package kube

import (
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// unansweredError is the error of a request that did not reach the API server, or whose answer did not come back.
type unansweredError struct{ error }

func (e *unansweredError) Unwrap() error { return e.error }

// Answered wraps the error of a request without an answer in an unansweredError. Nothing is known about the effect of
// such a request, in contrast to a refused one.
func Answered(err error) error {
	var status apierrors.APIStatus
	if err == nil || errors.As(err, &status) {
		return err
	}
	return &unansweredError{err}
}

// IsTransient reports whether the API server may accept the same request later.
func IsTransient(err error) bool {
	var unanswered *unansweredError
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return errors.As(err, &unanswered)
	}
	return apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) || apierrors.IsTimeout(err) || status.Status().Code >= 500
}

// IsCredentialError reports whether a request was not made because the program that provides credentials failed.
// client-go reports that in words only (plugin/pkg/client/auth/exec).
func IsCredentialError(err error) bool {
	return err != nil && strings.Contains(err.Error(), "getting credentials: ")
}

// LacksRight reports whether an error is about a missing right. The status Forbidden is not enough: policies and
// webhooks use it as well.
func LacksRight(verb string, err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), " cannot "+verb+" resource ")
}
