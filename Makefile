# `make` lists the chores. Everything that a machine needs is installed from here.
.DEFAULT_GOAL := help
.PHONY: help setup browser run test unit check format bench crash generate screenshots lock clean

PYTHON ?= python3.11
PORT ?= 8080
DATA ?= data
BIN := .venv/bin
READY := .venv/.ready
# In a container we are root already, and there is no sudo.
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

help: ## List the chores
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Install everything; after it .venv/bin/passerelle is there

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check 'uv>=0.8'
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	$(BIN)/python -m compileall -q src
	@touch $@

run: setup ## Start Passerelle with a demo workspace on http://localhost:8080
	$(BIN)/passerelle dev --port $(PORT) --data-dir $(DATA)

browser: ## Install Chromium, which the tests of the pages drive
	@[ -n "$$PASSERELLE_TEST_CHROMIUM" ] || command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
		{ echo "Installing Chromium" && $(AS_ROOT) apt-get update -qq && \
		$(AS_ROOT) apt-get install -yqq --no-install-recommends chromium fonts-liberation; } || \
		{ echo "The tests need Chromium: install it, or say in PASSERELLE_TEST_CHROMIUM where it is"; exit 1; }

test: setup browser check ## The whole suite
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

unit: setup ## Only the tests that need no database
	$(BIN)/pytest -n 2 tests/unit

check: setup ## Formatting, lint, types, import rules, generated files
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## Measure throughput and latency (needs wrk)
	$(BIN)/python -m bench $(only)

crash: setup ## The long crash tests, and properties over many more definitions
	$(BIN)/pytest tests/crash -m "long or not long"
	PASSERELLE_EXAMPLES=1000 $(BIN)/pytest tests/unit/engine/test_properties.py --timeout 900

generate: setup ## Write the generated files: OpenAPI document, reference pages
	$(BIN)/python -m passerelle.reference

screenshots: setup browser ## Take the pictures of the docs anew
	PYTHONPATH=tests/acceptance $(BIN)/python tests/browser/screenshots.py

lock: ## Pin the newest versions of all dependencies
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --no-header --no-annotate -o requirements.lock --quiet --upgrade

clean: ## Remove what was installed and built; data stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
