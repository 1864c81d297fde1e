# Everything that is done to this project, under the names that CI uses too. `make` alone lists them.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
BIN := .venv/bin
CODE := $(wildcard streamflow tests examples benchmarks)
PYTEST := $(BIN)/python -m pytest
# Passed on to pytest: make test ARGS="-k restart -x"
ARGS ?=
# Files of tests run side by side, each with a broker of its process; ARGS="-n 0" runs one after the other, for a debugger.
ABREAST := -n logical --maxprocesses 4 --dist loadscope

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^##@ / {printf "\n%s\n", substr($$0, 5)} \
	    /^[a-z-]+:.*## / {printf "  \033[1m%-10s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Use

.PHONY: venv
venv: .venv/installed ## Make .venv with what requirements.lock names, and the project in it

# The stamp makes a second `make` instant; a changed lock or pyproject.toml installs again.
.venv/installed: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
	    echo 'Expected Python 3.11 or later with venv. Install it with: apt-get install --yes python3 python3-venv' >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: venv ## Run the food-delivery site and the web UI, with orders that move by themselves
	$(BIN)/python -m examples.food_delivery.demo

.PHONY: bench
bench: venv ## Measure latency, throughput and memory beside the raw-Kafka floor
	$(BIN)/python -m benchmarks $(ARGS)

##@ Test

.PHONY: test
test: venv kafka ## Run every test, with a real Kafka; those of the Helm chart are `test-deploy`
	$(PYTEST) $(ABREAST) -m "not deploy" $(ARGS)

.PHONY: test-fast
test-fast: venv ## Run the tests that need neither Java nor Kafka nor a browser
	$(PYTEST) $(ABREAST) -m "not kafka and not browser and not postgres and not deploy" $(ARGS)

.PHONY: test-kafka
test-kafka: venv kafka ## Run only the tests against a real Kafka
	$(PYTEST) $(ABREAST) -m "kafka and not deploy" $(ARGS)

.PHONY: test-deploy
test-deploy: venv kafka ## Run the tests of the Helm chart and the images; needs Go, which builds Helm once
	$(BIN)/python -m tests.deploy.tools
	$(PYTEST) -m deploy tests/deploy $(ARGS)

# Not a target for people: says what a broker lacks before a test run begins, and fetches its jars once.
.PHONY: kafka
kafka: venv
	@$(BIN)/python -m streamflow.testing.kafka --check

# What does not replay as it ran is stuck at once; of memory that is kept, this says nothing.
.PHONY: test-replay
test-replay: venv ## Run the tests of workflows with every step replayed from its start, under two hash seeds
	for seed in 1 2; do \
	    PYTHONHASHSEED=$$seed $(PYTEST) $(ABREAST) --evict -m "not kafka and not browser and not postgres" \
	        --ignore=tests/unit/testing/test_garbage.py \
	        tests/examples tests/unit/testing tests/unit/updates tests/unit/worker tests/unit/workflow $(ARGS); \
	done

.PHONY: sim
sim: venv ## Run the simulation: SEED=42 for one run, SEEDS=2000 for many
	$(PYTEST) -m simulation $(if $(SEED),--seed=$(SEED)) $(if $(SEEDS),--seeds=$(SEEDS)) $(ARGS)

.PHONY: faults
faults: venv kafka ## Prove what docs/reliability.md promises; hours: ARGS="--share 0.01" for minutes, "--only simulation" for a part
	$(BIN)/python -m tests.reliability $(ARGS)

##@ Check

.PHONY: check
check: venv ## Check form, types, import rules and spelling
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell

.PHONY: types
types: venv ## Check types only
	$(BIN)/mypy $(CODE)
	$(BIN)/pyright

.PHONY: format
format: venv ## Format the code and mend what can be mended without thought
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

.PHONY: schemas
schemas: venv ## Write schemas/ from the facts, and golden bytes of what is not yet released
	$(BIN)/python -m streamflow.wire.generate
	$(BIN)/python -m streamflow.topology.asyncapi
	$(BIN)/python -m tests.golden.samples

##@ Documentation

SITE := build/site-env

.PHONY: docs
docs: $(SITE)/installed ## Build the documentation's site into build/site, and check its links
	$(SITE)/bin/python tools/site/build.py
	$(SITE)/bin/zensical build --clean --strict

# An environment of its own: what builds pages is not among what runs or tests the code.
$(SITE)/installed: tools/site/requirements.lock
	$(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

##@ Release

.PHONY: lock
lock: ## Resolve the dependencies anew into requirements.lock, and those of the site into its own
	@test -x $(BIN)/uv || { $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet uv; }
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --generate-hashes --no-emit-index-url --all-extras \
	    --python-version 3.11 --custom-compile-command 'make lock' --output-file requirements.lock
	$(BIN)/uv pip compile tools/site/requirements.in --quiet --upgrade --generate-hashes --no-emit-index-url \
	    --python-version 3.11 --custom-compile-command 'make lock' --output-file tools/site/requirements.lock

.PHONY: wheel
wheel: venv ## Build the wheel and the source archive into dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation

.PHONY: clean
clean: ## Remove what builds and tools made, the virtual environment too
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
