# `make help` lists what there is to make. It takes Go, make and git; `make demo` and `make test` build the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# The tests' last lines are to be the last ones, whatever -j says.
.NOTPARALLEL:

GO      ?= go
PACKAGE := ./cmd/kubectl-rollout-plus
PLUGIN  := bin/kubectl-rollout_plus
CLUSTER := bin/test-cluster
TOOL    := $(GO) tool -modfile=$(CURDIR)/tools/go.mod
MODULES := . test/cluster tools

# Where `make install` puts the program: go install's folder, unless PREFIX or BINDIR say otherwise.
GOBIN   := $(shell $(GO) env GOBIN)
BINDIR  ?= $(if $(PREFIX),$(PREFIX)/bin,$(or $(GOBIN),$(shell $(GO) env GOPATH)/bin))

# The version git knows by a tag; without one the program tells its own from the build information.
VERSION ?= $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null)
LDFLAGS := -s -w $(if $(VERSION),-X main.version=$(VERSION))

# The race detector needs a C compiler.
RACE     = $(shell if command -v "$$($(GO) env CC | cut -d' ' -f1)" >/dev/null 2>&1; then echo -race; fi)
TESTFLAGS ?=
E2EFLAGS  ?=

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Program

.PHONY: build
build: ## build the plugin as bin/kubectl-rollout_plus
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(PLUGIN) $(PACKAGE)
	@ln -sf kubectl-rollout_plus bin/kubectl_complete-rollout_plus

.PHONY: install
install: build ## install the plugin and its completion into a folder on PATH (PREFIX=/usr/local or BINDIR=...)
	@mkdir -p "$(DESTDIR)$(BINDIR)"
	cp $(PLUGIN) "$(DESTDIR)$(BINDIR)/kubectl-rollout_plus"
	ln -sf kubectl-rollout_plus "$(DESTDIR)$(BINDIR)/kubectl_complete-rollout_plus"
	@case ":$$PATH:" in *":$(BINDIR):"*) ;; *) echo "note: $(BINDIR) is not on PATH, where kubectl looks for plugins";; esac

.PHONY: uninstall
uninstall: ## remove what install put there
	rm -f "$(DESTDIR)$(BINDIR)/kubectl-rollout_plus" "$(DESTDIR)$(BINDIR)/kubectl_complete-rollout_plus"

##@ Local cluster

.PHONY: $(CLUSTER)
$(CLUSTER):
	@CGO_ENABLED=0 $(GO) build -C test/cluster -trimpath -o $(CURDIR)/$(CLUSTER) .

.PHONY: cluster-up
cluster-up: $(CLUSTER) ## start the local cluster (builds it first, once: minutes)
	@$(CLUSTER) up
	@echo "to use it: eval \"\$$($(CLUSTER) env)\""

.PHONY: cluster-down
cluster-down: $(CLUSTER) ## stop the local cluster
	@$(CLUSTER) down

.PHONY: demo
demo: build $(CLUSTER) ## show a rollout on the local cluster, or on a cluster of yours: make demo DEMO_CONTEXT=name
	@DEMO_CONTEXT='$(DEMO_CONTEXT)' sh hack/demo.sh

##@ Tests

.PHONY: test
test: unit e2e ## run all tests, the end-to-end tests on a local cluster of their own

.PHONY: unit
unit: race-note ## run the unit tests
	$(GO) test -C test/cluster $(TESTFLAGS) ./...
	$(GO) test $(RACE) $(TESTFLAGS) ./...

.PHONY: e2e
e2e: race-note build $(CLUSTER) ## run the end-to-end tests on a local cluster of their own
	PATH="$(CURDIR)/bin:$$PATH" $(CLUSTER) run --name rollout-plus-test -- \
	  $(GO) test $(RACE) -tags e2e -count=1 -timeout 50m $(TESTFLAGS) $(E2EFLAGS) ./test/e2e/...

.PHONY: test-versions
test-versions: race-note build $(CLUSTER) ## run the end-to-end tests on another Kubernetes version: make test-versions K8S=1.34.4
	@[ -n '$(K8S)' ] || { echo "which version? make test-versions K8S=1.34.4" >&2; exit 2; }
	PATH="$(CURDIR)/bin:$$PATH" $(CLUSTER) run --kubernetes '$(K8S)' --name rollout-plus-test -- \
	  $(GO) test $(RACE) -tags e2e -count=1 -timeout 90m $(TESTFLAGS) $(E2EFLAGS) ./test/e2e/...

.PHONY: bench
bench: build $(CLUSTER) ## measure rollouts on a local cluster of their own
	PATH="$(CURDIR)/bin:$$PATH" $(CLUSTER) run --name rollout-plus-bench -- \
	  $(GO) test -tags bench -count=1 -timeout 60m -v $(TESTFLAGS) ./test/bench/...

.PHONY: race-note
race-note:
	@[ -n "$(RACE)" ] || echo "note: no C compiler here, so the tests run without the race detector"

##@ Checks

.PHONY: lint
lint: ## run golangci-lint in every module with code
	$(TOOL) golangci-lint run ./...
	cd test/cluster && $(TOOL) golangci-lint run --config $(CURDIR)/.golangci.yml ./...

.PHONY: fmt
fmt: ## format the code
	$(TOOL) golangci-lint fmt ./...
	cd test/cluster && $(TOOL) golangci-lint fmt --config $(CURDIR)/.golangci.yml ./...

.PHONY: vet
vet: ## run go vet
	$(GO) vet -tags e2e,bench ./...
	$(GO) vet -C test/cluster ./...

.PHONY: vuln
vuln: ## look for known vulnerabilities, where their database can be reached
	@TOOL='$(TOOL)' sh hack/vuln.sh

.PHONY: verify
verify: ## check that modules are tidy, and code is formatted and generated
	@GO='$(GO)' TOOL='$(TOOL)' MODULES='$(MODULES)' sh hack/verify.sh

##@ Release

.PHONY: dist
dist: ## build the archives of all platforms, their checksums and krew's manifest into dist/
	$(GO) run ./hack/dist $(if $(VERSION),-version '$(VERSION)')

.PHONY: krew-test
krew-test: $(CLUSTER) ## install the plugin with the real krew from a local archive, and run it through kubectl
	@GO='$(GO)' TOOL='$(TOOL)' CLUSTER='$(CURDIR)/$(CLUSTER)' VERSION='$(VERSION)' PACKAGE='$(PACKAGE)' sh hack/krew-test.sh

.PHONY: clean
clean: ## remove what was built here (make cluster-down first; the cluster's programs stay in the user's cache)
	rm -rf bin dist
