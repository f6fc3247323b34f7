# The daily commands. Every one may be run again at any time; what is done already is not redone.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help up test bench drill lint format clean

python := .venv/bin/python

# Tests start hundreds of processes; each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1 \t/p' $(MAKEFILE_LIST) | expand -t 12

# A PORT of the environment is somebody else's; only the command line's counts.
PORT := 8000

up: .venv/.runtime  ## install and start everything on this machine, with a demonstration; PORT=8001 takes another port
	.venv/bin/kentering up --demo --port $(PORT)

# Tests wait about half of their time, so four at once keep two cores busy.
test: .venv/.dev machine lint  ## all tests, on real servers that they start and stop themselves
	$(python) -m pytest -n 4

bench: .venv/.dev  ## measure speed and memory on this machine, in about ten minutes
	@scripts/test_machine.sh wrk nginx
	$(python) -m bench

drill: .venv/.dev machine  ## every fault at length: PARTS="kills frozen", or SOAK_MINUTES=30 alone
	$(if $(PARTS)$(SOAK_MINUTES),,$(at_length))
	SOAK_MINUTES=$(SOAK_MINUTES) $(python) -m tests.drills $(PARTS)

lint: .venv/.dev  ## format, style, types, who may import whom, shell scripts
	.venv/bin/ruff format --check --quiet
	.venv/bin/ruff check --quiet
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	@if command -v shellcheck >/dev/null; then shellcheck -x scripts/*.sh .ci/run; fi

format: .venv/.dev  ## bring the code into its format
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

clean:  ## remove what these commands made; data/ stays
	rm -rf .venv .servers build *.egg-info tests/node/node_modules
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find services tests bench migrations -name __pycache__ -prune -exec rm -rf {} +

# The tests that `make test` runs with less of everything.
at_length := KENTERING_DRILL_PERSONS=2000 KENTERING_DRILL_KILLS=40 KENTERING_DRILL_WORLDS=200 \
	KENTERING_DRILL_EXAMPLES=100 $(python) -m pytest --timeout 3600 tests/simulation \
	tests/contract/scorer/test_stress.py tests/contract/scorer/test_decisions.py \
	tests/contract/api/test_fuzz.py

# ── what the commands need ──────────────────────────────────────────────────────────────────

.PHONY: machine
machine: tests/node/node_modules/.package-lock.json
	@scripts/test_machine.sh

.venv/.runtime: pyproject.toml constraints.txt
	scripts/venv.sh
	@touch $@

.venv/.dev: pyproject.toml constraints.txt
	scripts/venv.sh dev
	@touch .venv/.runtime $@

tests/node/node_modules/.package-lock.json: tests/node/package.json tests/node/package-lock.json .venv/.dev
	scripts/npm.sh ci --silent --no-audit --no-fund --prefix tests/node
	@touch $@
