package apiserver

import (
	"context"
	"fmt"
	"net/http"

	"k8s.io/client-go/transport"
)

// Until makes requests without a deadline end with the command. kubectl's libraries set none, so an API server that does
// not answer would otherwise block a Ctrl-C.
func Until(ctx context.Context) transport.WrapperFunc {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			if request.Context().Done() != nil {
				return next.RoundTrip(request)
			}
			response, err := next.RoundTrip(request.WithContext(ctx))
			if cause := context.Cause(ctx); err != nil && cause != nil {
				err = fmt.Errorf("%w before it had answered", cause)
			}
			return response, err
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }
