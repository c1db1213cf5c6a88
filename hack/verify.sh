#!/bin/sh
# Checks what a change easily leaves behind. Every check runs, and the first failures are all told.
set -u
failed=0
fail() {
	echo "verify: $*" >&2
	failed=1
}

for module in $MODULES; do
	echo "verify: $module: go mod tidy"
	(cd "$module" && $GO mod tidy -diff) || fail "$module: run go mod tidy"
done

echo "verify: format"
unformatted=$(git ls-files -co --exclude-standard '*.go' | while read -r f; do [ ! -f "$f" ] || echo "$f"; done | xargs $TOOL gofumpt -l) ||
	fail "gofumpt failed"
[ -z "$unformatted" ] || fail "run make fmt, not formatted: $unformatted"

# Only what go generate would write is generated here; where nothing asks for it there is nothing to do.
if git grep -q '^//go:generate' -- '*.go'; then
	echo "verify: generated files"
	before=$(git status --porcelain)
	$GO generate ./... || fail "go generate failed"
	[ "$before" = "$(git status --porcelain)" ] || fail "run go generate ./... and commit what it writes"
fi
exit $failed
