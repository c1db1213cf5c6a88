package config

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

	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/cli"
	"github.com/rollout-plus/kubectl-rollout-plus/cmd/kubectl-rollout-plus/app/configuration"
	"github.com/rollout-plus/kubectl-rollout-plus/pkg/configmap"
)

// editing is an edit in an editor. It stays in a file until it is written to the cluster.
type editing struct {
	object configmap.Object
	// file is the file that was saved last. idle is true if nothing would be lost with that file.
	file string
	idle bool
	// dry is true if the edit is not to be written. Then the file is the only result.
	dry bool
	// out is the editor's standard output.
	out io.Writer
}

// edited opens an editor again and again until the saved text parses, or until nothing more is changed.
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
		saved, err := os.ReadFile(file) // also reads what a failing editor has saved
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
			return nil, configuration.ErrEmptySave
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

// end removes the file if the edit was written or is idle. Otherwise it prints where the file is.
func (e *editing) end(env *cli.Env, err error) error {
	if errors.Is(err, configuration.ErrEmptySave) {
		_, _ = fmt.Fprintln(env.ErrOut, "Edit cancelled, saved file was empty.") // as kubectl edit prints it
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

// drop removes the file. If that fails, end prints where the file is.
func (e *editing) drop() {
	if e.file != "" && os.Remove(e.file) == nil {
		e.file = ""
	}
}

// heading returns the comment at the top of the edited file.
func (e *editing) heading() []byte {
	return fmt.Appendf(nil, "# %s: save and close to change it; lines that begin with # at the top are ignored.\n", e.object)
}

// empty reports whether a file contains only comments and document markers.
func empty(body []byte) bool {
	var all any
	return yaml.Unmarshal(body, &all) == nil && all == nil
}

// withoutComments removes the comment lines at the top of a file. It keeps later ones, which may be part of a value.
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
