# The whole tool belt: `make run`, `make test`, and what they stand on.
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
SCOPES ?= read write
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Debian's packages that tests need, each with the program it brings.
PROGRAMS := mariadbd:mariadb-server-core mariadb-install-db:mariadb-server-core exiftool:libimage-exiftool-perl chromium:chromium fc-list:fontconfig

PACKAGED := $(wildcard .chalice/*.json infra/*) app.py requirements.txt constraints.txt $(shell find chalicelib -type f -not -name '*.pyc')

.DELETE_ON_ERROR:
.PHONY: run test lint unit test-corpus package deploy smoke key bench-cold system-packages bench-ingest bench-costs bench-list bench-upload bench-page clean

run: $(VENV)/local  ## serve on http://HOST:PORT
	@exec $(BIN)/chalice local --no-autoreload --host $(HOST) --port $(PORT)

test: lint unit  ## everything that must hold

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) package
	$(BIN)/cfn-lint --regions us-east-1 eu-central-1 --template out/sam.yaml

unit: $(VENV)/dev system-packages
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup

test-corpus: $(VENV)/dev system-packages  ## make test-corpus CORPUS=folder: take in every file of a folder
	$(BIN)/python -m tests.corpus "$(CORPUS)"

bench-ingest: $(VENV)/dev  ## what taking a picture in costs, as ratios to the floor
	$(BIN)/python -m benchmarks.ingest

bench-costs: $(VENV)/dev  ## whether decoding costs what it is estimated to
	$(BIN)/python -m benchmarks.costs

bench-list: $(VENV)/dev system-packages  ## what a list costs at a million rows
	$(BIN)/python -m benchmarks.list

bench-upload: $(VENV)/dev  ## a folder of photos: the command line client against a loop of curl
	$(BIN)/python -m benchmarks.upload

bench-page: $(VENV)/dev system-packages  ## the page at 100,000 images, in a browser
	$(BIN)/python -m benchmarks.page

bench-cold: $(VENV)/dev  ## what a function's first answer costs
	$(BIN)/python -m benchmarks.cold

package: out/sam.yaml  ## the functions' code and the stack's template, in out/

out/sam.yaml: $(VENV)/dev $(PACKAGED)
	$(BIN)/python -m infra.package out

deploy: $(VENV)/dev chalicelib/rds-ca.pem  ## make deploy STACK=… BUCKET=… [PARAMETERS="Name=value …"]: create or update a stack
	$(MAKE) package
	$(BIN)/python -m infra.deploy --stack "$(STACK)" --bucket "$(BUCKET)" $(PARAMETERS)

smoke: $(VENV)/dev  ## make smoke URL=… KEY=…: the client's path against a stack
	@$(BIN)/python -m infra.smoke "$(URL)" "$(KEY)"

key: $(VENV)/dev  ## make key OWNER=… STACK=… [SCOPES="read write"]: a key for an owner, shown this once
	@$(BIN)/python -m infra.key --stack "$(STACK)" --owner "$(OWNER)" $(SCOPES)

chalicelib/rds-ca.pem:  # by which the functions know the cluster
	curl --fail --silent --show-error --location --output $@ https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem

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
