package plan

import (
	"fmt"
)

// OptionError reports an option that does not fit the workload.
type OptionError struct {
	Option string
	Err    error
}

func (e *OptionError) Error() string { return fmt.Sprintf("--%s: %v", e.Option, e.Err) }

// Unwrap returns what is wrong with the option.
func (e *OptionError) Unwrap() error { return e.Err }
