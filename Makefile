# Every target shows the tool that it calls. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Below `make test`, cargo would take part in make's counting of jobs, and wait for what only waits itself.
ifneq ($(MAKELEVEL),0)
unexport MAKEFLAGS MFLAGS
endif

export PATH := $(CURDIR)/.local/venv/bin:$(CURDIR)/.local/tools/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/tests/local-aws:$(CURDIR)/tools
export PYTHONDONTWRITEBYTECODE := 1

FUNCTIONS := $(patsubst functions/%/Cargo.toml,%,$(wildcard functions/*/Cargo.toml))
PACKAGES := $(addprefix --package ,$(FUNCTIONS))
# What git tracks, or would track, and names this interpreter in its first line. Evaluated where lint asks for it only.
scripts = $(shell git grep --untracked -nIE '^.!/.*[/ ]$(1)\b' | sed -n 's/:1:.*//p')
SHELL_SCRIPTS = $(or $(call scripts,(ba|da)?sh),$(error lint: git finds no shell script here; it needs git, and a clone))
# Ruff itself finds what ends in .py and is not ignored.
PYTHON_CODE = . $(filter-out %.py,$(call scripts,python[0-9.]*))
CONTAINER := functions/image-build/container
ENV ?=
TARGET ?=
KEEP ?=
SECONDS ?= 60
# What a target needs first, unless `make test` has seen to it: else make would begin with whatever target is ready first.
needs = $(if $(PREPARED),,$(1))

.PHONY: help up env down test lint lint-rust lint-rest unit unit-rust unit-local-aws unit-container servers end-to-end end-to-end-stacks \
	end-to-end-readme local-functions compiled bench docs package deploy smoke fuzz verify-image audit setup setup-lint

help: ## what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/; s/\$$\$$/$$/g' | expand -t 12

up: setup local-functions ## deploy the whole root template on the local AWS and show what came of it
	tools/up

env: ## exports for a shell that is to use the local AWS: eval "$$(make -s env)"
	@python3 -m local_aws env

down: ## stop this checkout's local AWS, MySQL, Redis and Valkey, whichever target started them
	python3 -m local_aws stop
	python3 -m local_aws mysql stop
	python3 -m local_aws cache stop

# All is compiled before the tests run side by side: some of them look at the clock. The longest parts begin first, and each one's
# output appears when it has ended.
test: ## lint, unit and property tests, real MySQL, the local AWS, end to end
	@$(MAKE) setup-lint servers local-functions lint-rust compiled
	@$(MAKE) PREPARED=yes --jobs=4 --output-sync=target end-to-end-stacks unit-local-aws unit-rust end-to-end-readme \
		unit-container lint-rest

compiled:
	cargo build --quiet --package stack-driver
	cargo build --quiet --package recorded-calls
	cargo test --quiet --workspace --all-features --no-run

lint: lint-rust lint-rest ## formatting, clippy, licences, templates, shell, Python, house rules

lint-rust: $(call needs,setup-lint)
	cargo fmt --all --check
	cargo fmt --manifest-path tests/fuzz/libfuzzer/Cargo.toml --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	cargo deny --log-level error check bans licenses sources

lint-rest: $(call needs,setup-lint)
	cfn-lint
	python3 tests/templates/validate.py
	.local/checkov/bin/checkov --config-file .checkov.yaml
	shellcheck $(SHELL_SCRIPTS)
	hadolint $(CONTAINER)/Dockerfile
	ruff check --quiet $(PYTHON_CODE)
	ruff format --quiet --check $(PYTHON_CODE)
	tools/house_rules.py
	python3 -m unittest discover --start-directory tests/docs

servers: setup ## start the real MySQL, Redis and Valkey servers that the tests use
	python3 -m local_aws mysql start
	python3 -m local_aws cache start

unit: unit-rust unit-local-aws unit-container ## unit, property and MySQL tests; those of the container and of the local AWS

# More threads than cores: many tests only wait, for a deadline or a server.
unit-rust: $(call needs,servers)
	rm -rf target/api-calls
	RUST_TEST_THREADS=8 cargo test --workspace --all-features
	cargo run --quiet --package recorded-calls

unit-local-aws: $(call needs,servers)
	python3 -m unittest discover --start-directory tests/local-aws/tests

unit-container: $(call needs,servers)
	python3 -m unittest discover --start-directory tests/container

end-to-end: end-to-end-stacks end-to-end-readme ## the root template's whole life; the README's commands

end-to-end-stacks: $(call needs,servers local-functions)
	cargo build --quiet --package stack-driver
	python3 -m unittest discover --start-directory tests/end-to-end

end-to-end-readme: $(call needs,servers local-functions)
	python3 -m unittest discover --start-directory tests/docs --pattern 'run_*.py'

local-functions: setup # the host's own architecture, the quick profile
	cargo lambda build --quiet --compiler cargo --lambda-dir target/lambda-local $(PACKAGES) --package faulty-function

bench: setup ## the release binaries beside the same jobs in Python
	tools/bench

docs: setup-lint ## write the pages that are made from the templates
	python3 -m pages
	cargo run --quiet --package template-properties --bin environments-page

package: setup ## dist/aws: templates, function zips for arm64, checksums
	tools/package

deploy: ## deploy to AWS: make deploy ENV=prod BUCKET=... [STACK=...]; it says what is missing
	@tools/deploy "$(ENV)"

smoke: ## test what stands: make smoke ENV=test [STACK=...]; sign-in page, form, mail, job
	@tools/smoke "$(ENV)"

fuzz: ## look for what breaks the readers of others' texts: make fuzz [TARGET=...] [SECONDS=60] [KEEP=yes]
	@tools/setup fuzz
	tools/fuzz "$(TARGET)" "$(SECONDS)" "$(KEEP)"

verify-image: servers ## build Mautic's image and use it; needs a container engine
	tools/verify-image

audit: setup-lint ## security advisories of every crate (needs the advisory database)
	cargo deny check advisories

setup:
	@tools/setup

setup-lint: setup
	@tools/setup lint
