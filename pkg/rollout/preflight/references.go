package preflight

import (
	"fmt"
	"strings"
)

func references(in *Input) Result {
	missing, unread := missingOf(in.References.Items)
	switch {
	case len(missing) > 0:
		return fail(References, "pods need what does not exist: %s", strings.Join(missing, ", "))
	case unread != nil:
		return skip(References, unread)
	case in.References.More:
		return ok(References, "the first %d objects that pods need exist; the others were not looked at", len(in.References.Items))
	}
	return ok(References, "all %d objects that pods need exist", len(in.References.Items))
}

// missingOf names the objects and keys that do not exist. unread is an error about one whose existence is not known.
func missingOf(references []Reference) (missing []string, unread error) {
	for i := range references {
		r := &references[i]
		switch {
		case r.Missing:
			missing = append(missing, r.Kind+" "+r.Name)
		case len(r.MissingKeys) > 0:
			missing = append(missing, fmt.Sprintf("%s of %s %s", keys(r.MissingKeys), r.Kind, r.Name))
		case r.Err != nil:
			unread = r.Err
		}
	}
	return missing, unread
}

func keys(names []string) string {
	if len(names) == 1 {
		return "key " + names[0]
	}
	return "keys " + strings.Join(names, " and ")
}

// pullSecrets looks for the Secrets that images are pulled with. The kubelet ignores a missing one.
func pullSecrets(in *Input) Result {
	if in.PullSecrets.Err != nil {
		return skip(PullSecrets, in.PullSecrets.Err)
	}
	missing, unread := missingOf(in.PullSecrets.Items)
	switch {
	case len(missing) > 0:
		return warn(PullSecrets, "images are pulled without what does not exist: %s", strings.Join(missing, ", "))
	case unread != nil:
		return skip(PullSecrets, unread)
	case len(in.PullSecrets.Items) == 0 && in.PullSecrets.More:
		return ok(PullSecrets, "the pod template names none")
	case len(in.PullSecrets.Items) == 0:
		return ok(PullSecrets, "none is named")
	}
	return ok(PullSecrets, "all %d that are named exist", len(in.PullSecrets.Items))
}
