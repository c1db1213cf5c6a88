#!/usr/bin/env bash
# Runs one of Kubernetes' own tests of kubectl (test/cmd), by the name that its runTests knows it by: run.sh NAME.
# The sources are read where they lie, in SOURCES. They bring everything but the cluster and the namespace to work in,
# which are KUBECONFIG's. A kubectl of WRAPPERS, where there is one, takes the place of the real one.
set -o errexit -o nounset -o pipefail

export WHAT=$1 SUPPORTED_RESOURCES='*'
# The version that kubectl was built from is not that of the cluster in every detail (--match-server-version).
export ALLOW_SKEW=y
# What they leave behind, they leave here.
export KUBE_TEMP=$SCRATCH KUBE_JUNIT_REPORT_DIR=$SCRATCH/junit TMPDIR=$SCRATCH
# Colours, of which a test's log has no need and not every machine the program.
tput() { :; }

cd "$SOURCES"
source hack/lib/init.sh
source hack/lib/test.sh

# These two keep out of the machine's common folder for temporary files.
mktemp() { command mktemp "${@/#\/tmp\//$SCRATCH/}"; }
server=$(kubectl config view --minify -o jsonpath='{.clusters[0].cluster.server}')
export SECURE_API_PORT=${server##*:}
source test/cmd/legacy-script.sh
kube::util::ensure-gnu-sed
PATH=$WRAPPERS:$PATH

# The caller has made a namespace, and takes it away again.
create_and_use_new_namespace() { :; }

runTests
