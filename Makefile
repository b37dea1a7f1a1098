# make test does everything on a fresh machine (Debian, root): it installs what the tests need, the real
# Asterisks included, into $(CACHE), then lints, tests, and says where the time went.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:

export AMPD_CACHE ?= $(HOME)/.cache/ampd

# The linter's version stands here and nowhere else. It formats too (gofumpt).
GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := $(AMPD_CACHE)/golangci-lint-$(GOLANGCI_LINT_VERSION)

FUZZTIME ?= 5m
UNIT = $$(go list ./... | grep -v -e '^ampd/tests')

.PHONY: build test soak fuzz bench microbench lint fmt tools asterisk clients unit integration short-fuzz short-bench limits clean

build: ## the daemon, static
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o ampd ./cmd/ampd

# Each stage is a target of its own, so that one can run it alone.
test: ## all of them, with the time of each
	@began=$$SECONDS report=
	trap 'printf "=== where the time went\n%s%-12s %5d s\n" "$$report" total $$((SECONDS - began))' EXIT
	for stage in tools asterisk clients lint unit short-bench limits short-fuzz integration; do
		echo "=== $$stage"
		start=$$SECONDS
		$(MAKE) --no-print-directory "$$stage"
		printf -v line '%-12s %5d s\n' "$$stage" $$((SECONDS - start))
		report+=$$line
	done

tools: $(GOLANGCI_LINT) ## the linter

$(GOLANGCI_LINT):
	@new=$$(mktemp -d)
	trap 'rm -rf "$$new"' EXIT
	GOBIN=$$new go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mkdir -p $(AMPD_CACHE)
	mv "$$new/golangci-lint" $@

asterisk: ## the real Asterisks, see tests/asterisk/versions
	@tests/asterisk/install

clients: ## the AMI clients of other people and a C compiler for the race detector, see tests/clients
	@tests/clients/install

lint: $(GOLANGCI_LINT)
	@$(GOLANGCI_LINT) run
	$(GOLANGCI_LINT) fmt --diff

fmt: $(GOLANGCI_LINT)
	@$(GOLANGCI_LINT) fmt

unit:
	@go test -race -short $(UNIT)

integration:
	@log=$$(mktemp)
	trap 'rm "$$log"' EXIT
	if ! go test -race -short -count=1 -parallel 4 -timeout 20m -v ./tests/... | tee "$$log" |
			sed -E '/^ *(=== (RUN|PAUSE|CONT|NAME)|--- PASS: .*\/|logger\.go:)/d'; then
		echo "=== what failed"
		grep -E -A15 'Error Trace:|--- FAIL|DATA RACE|^panic:' "$$log" | tail -150
		exit 1
	fi

# What make test runs short, whole.
soak:
	@go test -race -count=1 -timeout 3h -v ./...

bench: microbench ## some 30 minutes, all of the machine: docs/performance.md says what it measures
	@go run ./tests/bench $(BENCH)

microbench:
	@AMPD_BENCH_CALLS=1000000 go test -run '^$$' -bench . -benchmem $(UNIT)

fuzz: ## every fuzz target for FUZZTIME
	@for package in $(UNIT); do
		for target in $$(go test -list '^Fuzz' "$$package" | grep '^Fuzz' || true); do
			echo "$$package $$target"
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package"
		done
	done

short-fuzz:
	@$(MAKE) --no-print-directory fuzz FUZZTIME=500x

short-bench: ## each benchmark once, so that it stays fit to run
	@go test -run '^$$' -bench . -benchtime 1x $(UNIT) | sed -n '/^Benchmark/p; /FAIL/p'

limits: ## fails where ampd has become much slower, compared with a relay in C
	@go test -count=1 ./tests/bench

clean:
	rm -rf ampd build dist
