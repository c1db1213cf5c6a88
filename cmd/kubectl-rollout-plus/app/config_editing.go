package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// editing is an edit, which stays in a file until it is written.
type editing struct {
	object configmap.Object
	// file is what was saved last; idle tells that nothing would be lost with it.
	file string
	idle bool
	// dry tells that it is not to be written, so that the file is all there is of it.
	dry bool
	// out is what the editor has for its standard output.
	out io.Writer
}

var errEmptySave = errors.New("edit cancelled, saved file was empty")

// edited opens an editor until what is saved parses, or until nothing more is changed.
func (e *editing) edited(ctx context.Context, content *configmap.Content) (*configmap.Content, error) {
	text, err := editableText(e.object, content)
	if err != nil {
		return nil, err
	}
	shown := slices.Concat(e.heading(), text)
	for {
		file, err := fileOf(shown)
		if err != nil {
			return nil, err
		}
		failure := launch(file, e.out)
		saved, err := os.ReadFile(file) // also what an editor has saved that fails then
		if failure == nil {
			failure = err
		}
		if err == nil {
			e.drop()
			e.file, e.idle = file, bytes.Equal(withoutComments(saved), text)
		}
		switch {
		case context.Cause(ctx) != nil:
			return nil, fmt.Errorf("nothing was written: %w", context.Cause(ctx))
		case failure != nil:
			return nil, fmt.Errorf("the editor failed: %w", failure)
		}
		body := withoutComments(saved)
		switch {
		case empty(body):
			e.idle = true
			return nil, errEmptySave
		case bytes.Equal(saved, shown) && !e.idle:
			return nil, errors.New("nothing was written, since what is saved does not parse")
		}
		want, err := parseEdited(e.object, content, body)
		if err == nil {
			err = configmap.CheckSize(e.object, want)
		}
		if err == nil {
			return want, nil
		}
		shown = slices.Concat(e.heading(), []byte("#\n# It does not parse:\n# "+strings.ReplaceAll(err.Error(), "\n", "\n# ")+"\n"), body)
	}
}

// end removes the file of an edit that is written, and tells where the file of any other is.
func (e *editing) end(env *environment, err error) error {
	if errors.Is(err, errEmptySave) {
		_, _ = fmt.Fprintln(env.ErrOut, "Edit cancelled, saved file was empty.") // as kubectl's edit tells it
		err = nil
	}
	if err == nil && !e.dry || e.idle {
		e.drop()
	}
	if e.file == "" {
		return err
	}
	secret := ""
	if e.object.Kind == configmap.Secret {
		secret = fmt.Sprintf("; it holds the values of %s, so delete it soon", e.object)
	}
	_, _ = fmt.Fprintf(env.ErrOut, "what you saved is in %s%s\n", e.file, secret)
	return err
}

// drop removes the file. One that stays is told of at the end.
func (e *editing) drop() {
	if e.file != "" && os.Remove(e.file) == nil {
		e.file = ""
	}
}

// heading begins the file that is edited.
func (e *editing) heading() []byte {
	return fmt.Appendf(nil, "# %s: save and close to change it; lines that begin with # at the top are ignored.\n", e.object)
}

// empty tells whether there is nothing in a file but comments and the marks of a document.
func empty(body []byte) bool {
	var all any
	return yaml.Unmarshal(body, &all) == nil && all == nil
}

// withoutComments takes the lines away that begin the file: those in it may be part of a value.
func withoutComments(text []byte) []byte {
	for bytes.HasPrefix(text, []byte("#")) {
		_, rest, found := bytes.Cut(text, []byte("\n"))
		if !found {
			return nil
		}
		text = rest
	}
	return text
}
