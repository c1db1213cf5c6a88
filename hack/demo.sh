#!/bin/sh
# Shows what the plugin does: on the local cluster, or with DEMO_CONTEXT=name on the cluster of that kubeconfig context.
# It works in a namespace of its own and leaves everything there to go on with.
set -eu
cd "$(dirname "$0")/.."
namespace=rollout-plus-demo
owner=app.kubernetes.io/managed-by=rollout-plus-demo
# The first two tags exist. The last does not: simulated nodes know it as one that cannot be pulled, and a real
# registry does not have it.
image=registry.k8s.io/pause
first=$image:3.9 second=$image:3.10 missing=$image:broken

say() { printf '\n# %s\n' "$*"; }

# show prints a command, then runs it.
show() {
	printf '$ %s\n' "$*"
	"$@"
}

# plugin adds what every command of the demo needs.
plugin() {
	if [ -n "${DEMO_CONTEXT:-}" ]; then
		show kubectl rollout-plus "$@" -n "$namespace" --context "$DEMO_CONTEXT"
	else
		show kubectl rollout-plus "$@" -n "$namespace"
	fi
}

cluster() {
	if [ -n "${DEMO_CONTEXT:-}" ]; then
		kubectl --context "$DEMO_CONTEXT" "$@"
	else
		kubectl "$@"
	fi
}

prepare() {
	PATH="$PWD/bin:$PATH"
	if [ -z "${DEMO_CONTEXT:-}" ]; then
		bin/test-cluster up
		eval "$(bin/test-cluster env)"
	elif ! command -v kubectl >/dev/null; then
		PATH="$(bin/test-cluster build):$PATH"
	fi
	export PATH
}

# fresh makes the namespace anew, unless one of that name is somebody else's.
fresh() {
	if cluster get namespace "$namespace" >/dev/null 2>&1; then
		if [ -z "$(cluster get namespace -l "$owner" --field-selector "metadata.name=$namespace" -o name)" ]; then
			echo "demo: there is a namespace $namespace that is not the demo's; remove it first" >&2
			exit 1
		fi
		cluster delete namespace "$namespace" --wait >/dev/null
	fi
	cluster create namespace "$namespace" >/dev/null
	cluster label namespace "$namespace" "$owner" >/dev/null
}

go_on() {
	say "The end. Everything is still there to go on with:"
	if [ -z "${DEMO_CONTEXT:-}" ]; then
		printf '  export PATH="%s/bin:%s:$PATH"\n' "$PWD" "$(bin/test-cluster build)"
		printf '  export KUBECONFIG="%s"\n' "$KUBECONFIG"
		context=
	else
		printf '  export PATH="%s/bin:$PATH"\n' "$PWD"
		context=" --context $DEMO_CONTEXT"
	fi
	cat <<-END
		  kubectl rollout-plus status deployment/demo -n $namespace$context
		  kubectl rollout-plus start deployment/demo --image $second --steps 1,50%,100% --hold 5s -n $namespace$context
		  kubectl rollout-plus --help
	END
	if [ -z "${DEMO_CONTEXT:-}" ]; then
		printf '  make cluster-down\n'
	else
		printf '  kubectl delete namespace %s%s\n' "$namespace" "$context"
	fi
}

prepare
fresh

say "A ConfigMap, and a Deployment of ten replicas with a Service"
plugin create configmap demo-config --from-literal greeting=hello
plugin create deployment demo --image "$first" --replicas 10 --port 8080 --service --wait

say "A new image, rolled out in steps"
plugin start deployment/demo --image "$second"

say "An image that does not exist: its first pod fails, and the rollout goes back by itself (exit status 5)"
status=0
plugin start deployment/demo --image "$missing" || status=$?
echo "exit status $status"
if [ "$status" -ne 5 ]; then
	echo "demo: expected exit status 5, failed and rolled back" >&2
	exit 1
fi

say "Back to the first revision (the one before the present is the failed image's)"
plugin undo deployment/demo --to-revision=1 --wait

go_on
