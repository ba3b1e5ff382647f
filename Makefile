# `make` lists the chores. Everything that a machine needs is installed from here.
.DEFAULT_GOAL := help
# What `web/` is made of, and what is made out of it.
WEB_SOURCES = $(shell find web -path web/node_modules -prune -o -type f ! -name schema.d.ts -print)
PROVIDER := tests/integration/people/provider/node_modules/.ready
WEB_READY := web/node_modules/.ready
WEB_API := web/src/api/schema.d.ts
WEB_LINTED := web/node_modules/.linted
WEB_TYPED := web/node_modules/.typed
WEB_TESTED := web/node_modules/.tested
DASHBOARD := src/passerelle/dashboard/static/index.html

.PHONY: help setup web provider browser servers run test unit coverage check check-python format bench soak crash fuzz generate screenshots lock audit release chart clean

# The first that is there; `make PYTHON=/path/to/python` takes another.
PYTHON ?= $(firstword $(foreach version,3.11 3.13 3.14 3.12,$(shell command -v python$(version))) python3.11)
PORT ?= 8080
DATA ?= data
BIN := .venv/bin
READY := .venv/.ready
MIGRATE_CLIENT := packages/passerelle-migrate-client
# In a container we are root already, and there is no sudo.
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

help: ## List the chores
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Install everything; after it .venv/bin/passerelle is there

$(READY): requirements.lock pyproject.toml $(MIGRATE_CLIENT)/pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check 'uv>=0.8'
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable . --editable $(MIGRATE_CLIENT)
	$(BIN)/python -m compileall -q src packages
	@touch $@

web: $(DASHBOARD) ## Build the dashboard where its sources have changed

$(DASHBOARD): $(WEB_API) $(WEB_SOURCES)
	web/npm run --silent build -- --logLevel warn

$(WEB_API): docs/reference/openapi-v2.json $(WEB_READY)
	@web/npm run --silent api > /dev/null
	@touch $@

$(WEB_READY): web/package-lock.json $(READY)
	web/npm ci --silent
	@touch $@

# Formatting is the editor's; lint and types are asked once per change, as they take long.
$(WEB_LINTED): $(WEB_API) $(WEB_SOURCES)
	web/npm run --silent lint
	@touch $@

$(WEB_TYPED): $(WEB_API) $(WEB_SOURCES)
	web/npm run --silent types
	@touch $@

$(WEB_TESTED): $(WEB_API) $(WEB_SOURCES)
	web/npm run --silent test
	@touch $@

run: setup web ## Start Passerelle with a demo workspace on http://localhost:8080
	$(BIN)/passerelle dev --port $(PORT) --data-dir $(DATA)

browser: ## Install Chromium, which the tests of the pages drive
	@[ -n "$$PASSERELLE_TEST_CHROMIUM" ] || command -v chromium-headless-shell >/dev/null || \
		{ echo "Installing Chromium" && $(AS_ROOT) apt-get update -qq && \
		$(AS_ROOT) apt-get install -yqq --no-install-recommends chromium-headless-shell fonts-liberation; } || \
		command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
		{ echo "The tests need Chromium: install it, or say in PASSERELLE_TEST_CHROMIUM where it is"; exit 1; }

$(PROVIDER): tests/integration/people/provider/package-lock.json $(READY)
	web/npm --prefix $(CURDIR)/tests/integration/people/provider ci --silent
	@touch $@

provider: $(PROVIDER) ## Install the provider of OpenID Connect that the tests of single sign-on run

servers: ## Install PgBouncer and nginx, which the tests stand before PostgreSQL and before Passerelle, and false clocks
	@PATH="$$PATH:/usr/sbin" sh -c 'command -v pgbouncer && command -v nginx && ls /usr/lib/*/faketime' >/dev/null 2>&1 || \
		{ echo "Installing PgBouncer, nginx and libfaketime" && $(AS_ROOT) apt-get update -qq && \
		$(AS_ROOT) apt-get install -yqq --no-install-recommends pgbouncer nginx-light libfaketime; } || \
		{ echo "The tests need PgBouncer, nginx and libfaketime: install them"; exit 1; }

# Three at a time on two cores: tests with browsers and processes wait for a quarter of their time.
test: setup browser servers check web $(WEB_TESTED) provider ## The whole suite
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

unit: setup $(WEB_TESTED) ## Only the tests that need no database
	$(BIN)/pytest -n 2 tests/unit packages

coverage: setup ## What the tests go through, with branches; `only=tests/unit` for less. A report, no gate
	@rm -rf build/coverage && mkdir -p build/coverage
	$(BIN)/coverage run -m pytest -q -n 2 $(or $(only),tests/unit tests/integration)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet --directory build/coverage/html
	$(BIN)/coverage report --format=total | xargs -I% echo "% percent; line by line in build/coverage/html/index.html"

# The dashboard and Python side by side: together they take no longer than the longer one.
check: setup $(WEB_API) ## Formatting, lint, types, import rules
	@$(MAKE) --no-print-directory -j2 $(WEB_LINTED) check-python $(WEB_TYPED)

check-python:
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: setup ## Put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## Measure throughput and latency (needs wrk)
	$(BIN)/python -m bench $(only)

soak: setup ## Half an hour at 70 % of what goes, and nothing may grow; `minutes=3` for less
	$(BIN)/python -m bench.soak $(minutes)

crash: setup ## The long crash tests, and properties over many more definitions
	$(BIN)/pytest tests/crash tests/hostile tests/integration/migrations/test_rolling_upgrade.py -m "long or not long"
	PASSERELLE_EXAMPLES=1000 $(BIN)/pytest tests/unit/engine/test_properties.py --timeout 900
	PASSERELLE_CALLS=100000 $(BIN)/pytest tests/integration/people/test_authorisation.py

fuzz: setup ## Requests of each role and texts of each kind, made up: no answer may be a 500, nothing may break; `seconds=600` for more of each
	$(BIN)/python -m tests.fuzz_api $(or $(seconds),60)
	PASSERELLE_EXAMPLES=2000 $(BIN)/pytest tests/unit/fuzz --timeout 900
	$(BIN)/uv run --quiet --isolated --no-project --python $(BIN)/python --with 'atheris>=3,<4' --with 'hypothesis>=6.170,<7' --with 'pytest>=9.2,<10' --with-editable . \
		python -m tests.fuzz_texts $(or $(seconds),60)

generate: setup ## Write the generated files: OpenAPI document, reference pages
	$(BIN)/python -m passerelle.app.reference

screenshots: setup web browser ## Take the pictures of the docs anew, and say which pages of the dashboard look otherwise
	$(BIN)/python -m tests.browser.screenshots
	$(BIN)/python -m tests.browser.dashboard_screenshots
	$(BIN)/python -m tests.browser.template_screenshots
	$(BIN)/python -m tests.browser.looks

lock: ## Pin the newest versions of all dependencies
	$(BIN)/uv pip compile pyproject.toml $(MIGRATE_CLIENT)/pyproject.toml --group dev --extra embedded --extra otel --extra pdf --universal --no-header --no-annotate -o requirements.lock --quiet --upgrade

# Where the data cannot be reached, that is said, and holds nothing up.
audit: setup $(WEB_READY) ## What is known of weaknesses in what is pinned: pip-audit and npm audit
	@mkdir -p build
	$(BIN)/uv tool run --quiet --from 'pip-audit>=2.10,<3' pip-audit --no-deps --disable-pip --progress-spinner off -r requirements.lock
	@web/npm audit --omit dev > build/npm-audit.txt 2>&1 || grep -q "audit endpoint returned an error" build/npm-audit.txt || { cat build/npm-audit.txt; exit 1; }
	@grep -h "audit endpoint returned an error\|found" build/npm-audit.txt | head -1

# Of an environment that has the wheel and what it needs, and nothing of development.
release: setup web audit ## Build the wheel into dist/, with lists of what is in it (CycloneDX) and of licences
	@rm -rf dist build/release
	$(BIN)/python -m hatchling build --directory dist
	$(BIN)/uv venv --quiet --python $(BIN)/python build/release
	$(BIN)/uv pip install --quiet --python build/release/bin/python --constraint requirements.lock "$$(echo dist/*.whl)[pdf]"
	$(BIN)/uv tool run --quiet --from 'cyclonedx-bom>=7,<8' cyclonedx-py environment build/release/bin/python --output-file dist/python.cdx.json
	web/npm sbom --sbom-format cyclonedx --omit dev > dist/web.cdx.json
	$(BIN)/uv tool run --quiet --from 'pip-licenses>=5,<6' pip-licenses --python build/release/bin/python --order license --format markdown > dist/LICENSES.md

chart: setup ## Lint the chart for Kubernetes, render it and pack it into dist/, by Helm's own library
	@mkdir -p dist
	$(BIN)/uv run --quiet --isolated --no-project --python $(BIN)/python --with 'helm-python-sdk>=0.2.2,<1' --with 'pyyaml>=6,<7' python -m tests.helm_chart dist

clean: ## Remove what was installed and built; data stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis web/node_modules src/passerelle/dashboard/static
