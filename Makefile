# What people, and CI, do with this repository. Each target installs what it lacks; `make run` needs no Debian package.
#   make run ARGS="--port 3005"      make test      make check      make bench QUICK=1      make chaos

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run install test check bench chaos lock wheel clean

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip install -qq --disable-pip-version-check --no-input --no-warn-script-location
JS := clients/js
MADE := .make
ASSETS := hanzolive/static/app

JS_SOURCES := $(shell find $(JS) \( -name node_modules -o -name dist \) -prune -o -type f -print)
# A stamp without what it stands for is void: someone has removed the folder by hand.
$(if $(wildcard $(ASSETS)/*),,$(shell rm -f $(MADE)/assets))

help:
	@echo "make run     install into $(VENV) and start Hanzo Live at http://127.0.0.1:3001 (flags: ARGS=\"--port 3005\")"
	@echo "make test    run all tests, the browser's included"
	@echo "make check   style, types, direction of imports, generated files"
	@echo "make bench   print the figures beside their peers' (QUICK=1: a short run)"
	@echo "make chaos   kill, pause and starve parts of a whole system at random (ARGS=\"--rounds 200\")"
	@echo "make install what make run installs, without starting it"
	@echo "make lock    choose the versions of all dependencies anew"
	@echo "make wheel   build both distributions into dist/"
	@echo "make clean   remove everything that make has made"

run: install
	@exec $(VENV)/bin/hanzo-live serve $(ARGS)

install: $(MADE)/python $(MADE)/assets

test: $(MADE)/python-dev $(MADE)/assets
	@scripts/debian-packages chromium curl jq nginx-light openssl postgresql prometheus
	@scripts/test

check: $(MADE)/python-dev $(MADE)/assets
	@scripts/debian-packages nginx-light openssl prometheus
	@scripts/check

bench: $(MADE)/python-dev $(MADE)/assets
	@benchmarks/setup.sh $(PYTHON)
	@$(PYTHON) -m benchmarks $(ARGS)

chaos: $(MADE)/python-dev $(MADE)/assets
	@scripts/debian-packages postgresql
	@$(PYTHON) -m tests.chaos $(ARGS)

lock: $(MADE)/python-dev
	@scripts/lock

wheel: $(MADE)/python-dev $(MADE)/assets
	@echo "Building the wheels into dist/"
	@$(PYTHON) -m build --no-isolation --wheel --outdir dist . >/dev/null
	@$(PYTHON) -m build --no-isolation --wheel --outdir dist clients/python >/dev/null
	@ls -1 dist/*.whl

clean:
	rm -rf $(VENV) $(MADE) $(ASSETS) build dist $(JS)/node_modules $(JS)/*/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# What the targets stand on ------------------------------------------------------------------------------------------

# The file, not the folder or the python in it: those are as old as the system's.
$(VENV)/pyvenv.cfg:
	@scripts/make-venv $(VENV)

$(MADE)/python: $(VENV)/pyvenv.cfg requirements.lock requirements-build.lock pyproject.toml clients/python/pyproject.toml
	@echo "Installing the Python packages into $(VENV)"
	@$(PIP) --no-deps --require-hashes -r requirements.lock
	@$(PIP) --no-deps --require-hashes -r requirements-build.lock
	@$(PIP) --no-deps --no-build-isolation -e clients/python -e .
	@mkdir -p $(MADE) && touch $@

$(MADE)/python-dev: $(MADE)/python requirements-dev.lock
	@echo "Installing the Python packages for development into $(VENV)"
	@$(PIP) --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

# npm writes this file last, so it is there only after a whole installation.
$(JS)/node_modules/.package-lock.json: $(JS)/package.json $(JS)/package-lock.json
	@scripts/require-node
	@echo "Installing the JavaScript packages into $(JS)/node_modules"
	@cd $(JS) && npm ci --loglevel=error --no-audit --no-fund >/dev/null
	@touch $@

$(MADE)/assets: $(JS)/node_modules/.package-lock.json $(JS_SOURCES)
	@echo "Building the pages' assets into $(ASSETS)"
	@cd $(JS) && npm run --silent build >/dev/null
	@mkdir -p $(MADE) && touch $@
