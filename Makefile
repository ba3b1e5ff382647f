# `make` lists the chores. Everything that a machine needs is installed from here.
.DEFAULT_GOAL := help
.PHONY: help setup run test unit check format bench crash openapi lock clean

PYTHON ?= python3.11
PORT ?= 8080
DATA ?= data
BIN := .venv/bin
READY := .venv/.ready

help: ## List the chores
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Install everything; after it .venv/bin/passerelle is there

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check 'uv>=0.8'
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

run: setup ## Start Passerelle with a demo workspace on http://localhost:8080
	$(BIN)/passerelle dev --port $(PORT) --data-dir $(DATA)

test: setup check ## The whole suite
	$(BIN)/pytest -n 2 --dist loadfile

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

crash: setup ## The long crash tests
	$(BIN)/pytest tests/crash -m "long or not long"

generate: setup ## Write the generated files: OpenAPI document, reference pages
	$(BIN)/python -m passerelle.reference

lock: ## Pin the newest versions of all dependencies
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --no-header --no-annotate -o requirements.lock --quiet --upgrade

clean: ## Remove what was installed and built; data stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
