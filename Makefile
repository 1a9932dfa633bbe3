# The whole tool belt: `make run`, `make test`, and what they stand on.
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Debian's packages that tests need, each with the program it brings.
PROGRAMS := mariadbd:mariadb-server-core mariadb-install-db:mariadb-server-core exiftool:libimage-exiftool-perl

.PHONY: run test lint unit system-packages bench-ingest bench-list clean

run: $(VENV)/local  ## serve on http://HOST:PORT
	@exec $(BIN)/chalice local --no-autoreload --host $(HOST) --port $(PORT)

test: lint unit  ## everything that must hold

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: $(VENV)/dev system-packages
	$(BIN)/python -m pytest

bench-ingest: $(VENV)/dev  ## what taking a picture in costs, as ratios to the floor
	$(BIN)/python -m benchmarks.ingest

bench-list: $(VENV)/dev system-packages  ## what a list costs at a million rows
	$(BIN)/python -m benchmarks.list

$(VENV)/local: requirements.txt requirements-local.txt constraints.txt | $(VENV)/python
	$(PIP) -r requirements-local.txt
	@touch $@

$(VENV)/dev: requirements.txt requirements-local.txt requirements-dev.txt constraints.txt | $(VENV)/python
	$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/local

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

system-packages:
	@missing=; for pair in $(PROGRAMS); do \
	  PATH="$$PATH:/usr/sbin" command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair#*:}"; done; \
	if [ -n "$$missing" ]; then \
	  as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
	  $$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

clean:  ## forget what was installed and built; pictures are not touched
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache .hypothesis
