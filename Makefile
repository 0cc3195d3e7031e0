# Everything runs in an environment of its own (.venv), made from a bare Python 3.11 or newer with venv and pip:
#   make demo     CLs of the example workspace from the shell, and a CLs-versus-mu plot
#   make test     every check: lint, types, imports and dependencies, and the whole test suite on the installed wheel
#   make quick    the same checks with the fastest tests only
#   make fresh    the wheel alone, and with each extra alone, in new environments: all that README says
#   make fuzz     long runs of the fuzzers: N trials each
#   make bench    the comparison with pyhf 0.7.6 (minutes)
#   make docs     the documentation with all its code executed, into build/docs (minutes)
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
TESTS ?= tests
BENCH ?=
SPHINX ?=
N ?= 1000

BIN := $(VENV)/bin
EXAMPLE := examples/workspace.json

.DEFAULT_GOAL := help
SOURCES := pyproject.toml setup.py README.md $(shell find pyhf_func adapters -name '*.py' -o -name '*.json' -o -name py.typed)

# Tests run in a folder of their own, on what is installed and not on the tree.
SUITE = mkdir -p build/suite && cd build/suite && $(abspath $(BIN))/python -P -m pytest -c ../../pyproject.toml \
  --rootdir ../.. -o pythonpath= --installed -n $(WORKERS) --dist loadfile --durations 20 $(abspath $(TESTS))

.PHONY: help demo test quick lint fresh fuzz bench docs clean

help:
	@sed -n '2,8s/^#   //p' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pyhf_func needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp an extra: an installation is repeated only when what it depends on changes. An older build would be reused.
# Beside it come groups of dependencies for development, which users never install.
GROUPS_test := --group dev
GROUPS_docs := --group docs
EXTRAS_docs := plot,xmlio,certify,dask,minuit
$(VENV)/stamp-%: $(SOURCES) | $(BIN)/python
	@rm -rf build/lib
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet '.[$(or $(EXTRAS_$*),$*)]' $(GROUPS_$*)
	@touch $@

# MXNet's last release runs with today's NumPy, whatever it says it needs. Where it has no wheel, its tests are skipped.
$(VENV)/stamp-mxnet: $(VENV)/stamp-test
	$(BIN)/python -m pip install --quiet --no-deps mxnet==1.9.1 || echo "no MXNet for this Python and platform"
	@touch $@

demo: $(VENV)/stamp-plot
	$(BIN)/pyhf-func cls $(EXAMPLE)
	$(BIN)/python examples/scan.py $(EXAMPLE)

lint: $(VENV)/stamp-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	@rm -rf build/typed && mkdir -p build/typed/pyhf_func
	@ln -sfn $(filter-out %/adapters,$(abspath $(wildcard pyhf_func/*))) $(abspath adapters) build/typed/pyhf_func
	@ln -sfn $(abspath benchmarks examples) build/typed
	cd build/typed && $(abspath $(BIN))/mypy --config-file ../../pyproject.toml pyhf_func benchmarks examples
	$(BIN)/lint-imports
	$(BIN)/deptry pyhf_func adapters
	$(BIN)/python .ci/words.py

test: lint $(VENV)/stamp-mxnet
	$(SUITE)

fresh:
	$(PYTHON) .ci/fresh.py

quick: lint $(VENV)/stamp-mxnet
	$(SUITE) -m "not slow"

fuzz: $(VENV)/stamp-mxnet
	$(BIN)/python -m pytest tests/fuzz --fuzz $(N)

docs: $(VENV)/stamp-docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs build/docs $(SPHINX)
	@echo "build/docs/index.html"

bench: $(VENV)/stamp-bench
	$(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf $(VENV) build dist *.egg-info
