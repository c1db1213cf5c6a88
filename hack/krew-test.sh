#!/bin/sh
# Installs the plugin as a user of krew would: from this platform's archive and the rendered manifest, with the real
# krew, and calls it through the real kubectl. Nothing of it outlives the run, and no index is asked (which is why it
# does not call krew uninstall: that wants one).
set -eu
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "krew-test: build and validate"
$GO run ./hack/dist -platforms local -out "$work/dist" -package "$PACKAGE" ${VERSION:+-version "$VERSION"}
$TOOL validate-krew-manifest -manifest "$work/dist/rollout-plus.yaml" -skip-install
archive=$(ls "$work"/dist/kubectl-rollout_plus_*)
krew=$($TOOL -n krew)

echo "krew-test: install"
kubectl=$("$CLUSTER" build)
# No look at the network for a newer krew.
export KREW_ROOT="$work/krew" KREW_NO_UPGRADE_CHECK=1
export KUBECONFIG="$work/none" PATH="$work/krew/bin:$kubectl:$PATH"
"$krew" install --manifest="$work/dist/rollout-plus.yaml" --archive="$archive"

echo "krew-test: kubectl rollout-plus version"
kubectl rollout-plus version
test -f "$(dirname "$(readlink "$KREW_ROOT/bin/kubectl-rollout_plus")")/LICENSE"
