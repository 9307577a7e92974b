# Everything runs in .venv, which `setup` makes from the locked requirements. Nothing else of the machine is touched.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
UV := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	--no-annotate
PIP := --quiet --disable-pip-version-check --no-deps
TESTS ?= tests
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test check coverage bench golden lock clean

help: ## Show what there is to make
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install Keyhole and its locked dependencies into .venv, and build the upload page
	@sh scripts/build-page.sh

$(STAMP): requirements/build.lock requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("keyhole needs Python 3.11 or newer, and this is " + sys.version.split()[0] \
		+ ": say which to use by `make PYTHON=python3.12 …`") if sys.version_info < (3, 11) else None'
	@echo "installing the locked dependencies into .venv (once; a minute or less)…"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@# What packages are built with is locked too, so it comes first.
	@$(BIN)/python -m pip install $(PIP) --require-hashes -r requirements/build.lock
	@$(BIN)/python -m pip install $(PIP) --no-build-isolation --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install $(PIP) --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src/keyhole
	@touch $@

demo: setup ## Run the whole story against the local AWS and serve the upload page (CHECK=1: check everything, then exit)
	@$(BIN)/python examples/ai-image-community/demo.py $(if $(CHECK),--check)

test: setup ## Run all tests
	@sh scripts/install-chromium.sh
	@sh scripts/install-javascript.sh tests/clients/js
	@sh scripts/install-javascript.sh examples/instagram-static-files
	@$(BIN)/pytest -n $(JOBS) $(TESTS)

check: setup ## Lint, types, layers
	@! test -d page/node_modules || (cd page && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent check)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff --quiet .; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache --verbose

bench: setup ## Measure what is claimed
	@$(BIN)/python bench/run.py

coverage: setup ## Hold the policy engine to tests of every branch
	@$(BIN)/pytest -n $(JOBS) tests/iam --cov=keyhole.iam --cov-branch --cov-fail-under=100 --cov-report=term-missing:skip-covered

golden: setup ## Write the golden files anew; read the diff
	@KEYHOLE_GOLDEN=write $(BIN)/pytest -q tests/golden tests/docs
	@git --no-pager diff --stat -- tests/golden examples README.md

lock: setup ## Resolve the dependencies anew (needs uv)
	@uv pip compile $(UV) --upgrade pyproject.toml --group dev -o requirements/dev.lock
	@uv pip compile $(UV) --upgrade requirements/build.in -c requirements/dev.lock -o requirements/build.lock

clean: ## Remove everything that was made here
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis page/node_modules src/keyhole/service/page
