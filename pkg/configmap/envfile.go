package configmap

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
)

// CheckEnvFile refuses an env file with a line that kubectl's reader would silently drop, together with all that follows. That
// reader uses a bufio.Scanner, which stops at lines of bufio.MaxScanTokenSize bytes or more. CheckEnvFile accepts a file that
// cannot be read: kubectl's reader then reports the error in the words that scripts know.
func CheckEnvFile(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	number := 0
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		number++
		if len(line) >= bufio.MaxScanTokenSize {
			return fmt.Errorf("%s: line %d has %d bytes, more than the %d that an env file's lines may have; give its value with --from-file instead",
				path, number, len(line), bufio.MaxScanTokenSize-1)
		}
	}
	return nil
}
