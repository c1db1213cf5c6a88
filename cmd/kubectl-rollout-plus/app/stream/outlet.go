package stream

import (
	"errors"
	"io"
	"sync"
)

// Cause returns the innermost error, which is that of the operating system.
func Cause(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

// Outlet is a stream that accepts all writes, even if its writer fails.
type Outlet struct {
	io.Writer
	// Lost is called once, with the first error. It may be nil.
	Lost func(error)
	mu   sync.Mutex
	gone bool
}

// Write always reports success. After the first failure it writes nothing more, since later text would lack its beginning.
func (o *Outlet) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.gone {
		return len(text), nil
	}
	if _, err := o.Writer.Write(text); err != nil {
		o.gone = true
		if o.Lost != nil {
			o.Lost(err)
		}
	}
	return len(text), nil
}

// Unwrap returns the stream that the outlet writes to.
func (o *Outlet) Unwrap() io.Writer { return o.Writer }
