# The whole tool belt: `make run`, `make test`, and what they stand on.
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
SCOPES ?= read write
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

PACKAGED := $(wildcard .chalice/*.json infra/*) app.py requirements.txt constraints.txt $(shell find chalicelib -type f -not -name '*.pyc')

.DELETE_ON_ERROR:
.PHONY: help run check test lint style javascript audit unit soak test-corpus package deploy smoke key open logs teardown bench-cold system-packages bench-ingest bench-costs bench-list bench-upload bench-page clean

run: $(VENV)/local  ## serve on http://HOST:PORT
	@exec $(BIN)/chalice local --no-autoreload --host $(HOST) --port $(PORT)

help:  ## these lines
	@sed -n 's/^\([a-z-]*\):.*  ## /  \1|/p' Makefile | awk -F '|' '{ printf "%-14s %s\n", $$1, $$2 }'

check: style  ## the short way: style, types, and the tests that need no server, browser or emulator
	$(BIN)/python -m pytest -n auto --maxprocesses 4 tests/rules tests/unit

test: lint audit unit  ## everything that must hold

style: $(VENV)/dev javascript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

javascript: node_modules/.package-lock.json  ## types and style of the page's code
	$(BIN)/node node_modules/typescript/bin/tsc --project .
	$(BIN)/node node_modules/eslint/bin/eslint.js --max-warnings 0 chalicelib/web

lint: style  ## style, types, and that the package fits Lambda
	$(MAKE) package
	$(BIN)/cfn-lint --regions us-east-1 eu-central-1 --template out/sam.yaml

audit: $(VENV)/dev  ## no decoder with a published hole, nothing that is not pinned
	$(BIN)/python -m infra.audit

unit: $(VENV)/dev system-packages node_modules/.package-lock.json  ## the tests; those that need what cannot be installed are skipped, and say so
	$(BIN)/python -m pytest -n auto --maxprocesses 4

soak: $(VENV)/dev system-packages node_modules/.package-lock.json  ## the attacks on the promises, for MINUTES=15
	$(BIN)/python -m tests.soak $(or $(MINUTES),15)

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

bench-cold: $(VENV)/dev node_modules/.package-lock.json  ## what a function's first answer costs
	$(BIN)/python -m benchmarks.cold

package: out/sam.yaml  ## the functions' code and the stack's template, in out/

out/sam.yaml: $(VENV)/dev node_modules/.package-lock.json $(PACKAGED)
	$(BIN)/python -m infra.package $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE)) out

deploy: $(VENV)/dev node_modules/.package-lock.json chalicelib/rds-ca.pem  ## make deploy STACK=… BUCKET=… [PARAMETERS="Name=value …"] [ARCHITECTURE=arm64]: create or update a stack
	$(BIN)/python -m infra.package $(if $(ARCHITECTURE),--architecture $(ARCHITECTURE)) out
	$(BIN)/python -m infra.deploy --stack "$(STACK)" --bucket "$(BUCKET)" $(PARAMETERS)

smoke: $(VENV)/dev  ## make smoke URL=… KEY=… [WAIT=55]: what clients, browsers and strangers meet at an address
	@PYTHONPATH=client/src $(BIN)/python -m infra.smoke --wait "$(or $(WAIT),0)" "$(URL)" "$(KEY)"

key: $(VENV)/dev  ## make key OWNER=… STACK=… [SCOPES="read write"]: a key for an owner, shown this once
	@$(BIN)/python -m infra.key --stack "$(STACK)" --owner "$(OWNER)" $(SCOPES)

open: $(VENV)/dev  ## make open STACK=…: the page of a deployed stack, in a browser
	@$(BIN)/python -m infra.open --stack "$(STACK)"

logs: $(VENV)/dev  ## make logs STACK=… [LAST=15] [PATTERN='{ $$.level = "ERROR" }']: what its functions have logged, in minutes
	@$(BIN)/python -m infra.logs --stack "$(STACK)" --minutes $(or $(LAST),15) --pattern '$(PATTERN)'

teardown: $(VENV)/dev  ## make teardown STACK=… CONFIRM=…: delete a stack; without CONFIRM, say what would be kept
	@$(BIN)/python -m infra.teardown --stack "$(STACK)" --confirm "$(CONFIRM)"

chalicelib/rds-ca.pem:  # by which the functions know the cluster; China and GovCloud have their own (docs/operations.md)
	curl --fail --silent --show-error --location --output $@ $(or $(RDS_CA),https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem)

$(VENV)/local: requirements.txt requirements-local.txt constraints.txt | $(VENV)/python
	$(PIP) -r requirements-local.txt
	@touch $@

$(VENV)/dev: requirements.txt requirements-local.txt requirements-dev.txt constraints.txt | $(VENV)/python
	$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/local

# Both from pip's wheel; certificates as the system has them, like pip's.
node_modules/.package-lock.json: package.json package-lock.json .npmrc | $(VENV)/dev
	PATH="$(CURDIR)/$(BIN):$$PATH" NODE_USE_SYSTEM_CA=1 $(BIN)/npm ci --loglevel=error
	@touch $@

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make environments; on Debian: sudo apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

system-packages: $(VENV)/dev
	@$(BIN)/python -m tests.system_packages

clean:  ## forget what was installed and built; pictures are not touched
	rm -rf $(VENV) node_modules out .mypy_cache .ruff_cache .pytest_cache .hypothesis
