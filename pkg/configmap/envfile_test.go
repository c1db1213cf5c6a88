package configmap

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckEnvFile(t *testing.T) {
	t.Parallel()
	long := "KEY=" + strings.Repeat("x", bufio.MaxScanTokenSize)
	longest := long[:bufio.MaxScanTokenSize-1]
	for name, test := range map[string]struct{ text, want string }{
		"empty":                    {"", ""},
		"lines":                    {"A=1\n# why\nB=2\n", ""},
		"no newline at the end":    {"A=1", ""},
		"Windows lines":            {"A=1\r\nB=2\r\n", ""},
		"the longest":              {"A=1\n" + longest + "\nB=2\n", ""},
		"the longest at the end":   {longest, ""},
		"one more":                 {"A=1\n" + longest + "x\nB=2\n", "line 2 has 65536 bytes, more than the 65535"},
		"much more":                {long, "line 1 has 65540 bytes"},
		"a comment that is long":   {"\n\n#" + long, "line 3 has"},
		"the first of two is told": {long + "\n" + long, "line 1 has"},
	} {
		path := filepath.Join(t.TempDir(), "env")
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := CheckEnvFile(path)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if err != nil && !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: the file is not named: %v", name, err)
		}
		// What is let through, kubectl's reader reads to its end.
		scanner := bufio.NewScanner(strings.NewReader(test.text))
		for scanner.Scan() {
			continue
		}
		if (scanner.Err() == nil) != (err == nil) {
			t.Errorf("%s: the scanner says %v, the check %v", name, scanner.Err(), err)
		}
	}
}

func TestCheckEnvFileLeavesUnreadableOnesToKubectl(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "missing"), t.TempDir()} {
		if err := CheckEnvFile(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
