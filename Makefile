# Every task of the project. A bare `make` lists them.

PYTHON ?= python3
PORT ?= 1080
EXAMPLES ?= 5000
DIST ?= dist
VENV := .venv
BIN := $(VENV)/bin
# Applies to build requirements too.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help serve install check format lint types imports test test-fast e2e fuzz coverage \
	bench bench-compare conformance reference screenshots docs build clean

help: ## List the targets.
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | \
		awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.serve: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.develop: $(VENV)/.serve
	$(BIN)/python -m pip install --quiet pip
	$(BIN)/python -m pip install --quiet --group test --group check --group docs --group e2e \
		--group examples --group package
	@touch $@

serve: $(VENV)/.serve ## Install and serve on http://127.0.0.1:1080/files/, storing under ./data.
	@$(BIN)/python -m tusd_py serve --port $(PORT) --data-dir data

install: $(VENV)/.develop ## Install everything that development needs into .venv.

format: $(VENV)/.develop ## Format the code and mend what can be mended.
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: $(VENV)/.develop
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(VENV)/.develop
	$(BIN)/mypy

imports: $(VENV)/.develop
	$(BIN)/lint-imports

check: lint types imports ## Format, lint, types, import contracts.

test: $(VENV)/.develop ## All tests that need only Python and loopback; a few minutes.
	HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -m "not e2e" -n auto

test-fast: $(VENV)/.develop ## The tests of the parts; seconds.
	$(BIN)/python -m pytest -m "not e2e and not slow" -n auto -q tests/unit tests/contract

e2e: $(VENV)/.develop ## Tests with real clients in Node, Java and Go, and with system services.
	$(BIN)/python -m pytest -m "e2e and not quiet" -n 2 --dist loadfile
	$(BIN)/python -m pytest -m "e2e and quiet" -n 2 --dist loadfile

fuzz: $(VENV)/.develop ## Property tests and hostile requests, with EXAMPLES=5000 random ones each.
	HYPOTHESIS_PROFILE=thorough HYPOTHESIS_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest \
		-m "not e2e" -n auto tests/unit tests/serving/test_hostile_input.py --timeout 0

coverage: $(VENV)/.develop ## Tests with a report of what they do not reach.
	$(BIN)/coverage run -m pytest -m "not e2e" -q
	$(BIN)/coverage report --skip-covered --show-missing

bench: $(VENV)/.develop ## Measure beside other tus servers; tables, plots and results.json.
	$(BIN)/python -m benchmarks

# What follows bench-compare are files and no targets.
ifeq (bench-compare,$(firstword $(MAKECMDGOALS)))
RESULTS := $(wordlist 2,$(words $(MAKECMDGOALS)),$(MAKECMDGOALS))
.PHONY: $(sort $(RESULTS))
$(sort $(RESULTS)): bench-compare
	@:
endif

bench-compare: $(VENV)/.develop ## Two results side by side: make bench-compare A.json B.json
	@$(BIN)/python -m benchmarks.compare $(RESULTS)

conformance: $(VENV)/.develop ## Write docs/reference/conformance.md from the tests.
	$(BIN)/python -m tests.spec.conformance

reference: $(VENV)/.develop ## Write settings, errors and test vectors in docs/reference from the code.
	$(BIN)/python -m tests.docs.reference

screenshots: $(VENV)/.develop ## Take the pictures in docs/images anew, of the pages in examples.
	$(BIN)/python -m tests.e2e.screenshots

docs: $(VENV)/.develop ## The manual as a site in site/; a link that leads nowhere is an error.
	$(BIN)/python -m sphinx -q -n -W --keep-going -c docs -d site/.doctrees . site

build: $(VENV)/.develop ## A wheel and an sdist in dist/.
	$(BIN)/python -m hatchling build --directory $(DIST)

clean: ## Remove what the other targets made, but not ./data.
	rm -rf $(VENV) dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
