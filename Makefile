# Everything runs in an environment of its own (.venv), made from a bare Python 3.11 or newer with venv and pip:
#   make demo     CLs of the example workspace from the shell, and a CLs-versus-mu plot
#   make test     every check: lint, types, import directions, the whole test suite
#   make quick    the same checks with the fastest tests only
#   make fuzz     long runs of the fuzzers: N trials each
#   make bench    the comparison with pyhf 0.7.6 (minutes)
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
TESTS ?= tests
BENCH ?=
N ?= 1000

BIN := $(VENV)/bin
EXAMPLE := examples/workspace.json

.DEFAULT_GOAL := help
.PHONY: help demo test quick lint fuzz bench clean

help:
	@sed -n '2,6s/^#   //p' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pyhf_func needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp an extra: an installation is repeated only when what it depends on changes.
$(VENV)/stamp-%: pyproject.toml setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
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
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint $(VENV)/stamp-mxnet
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

quick: lint $(VENV)/stamp-mxnet
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not slow" $(TESTS)

fuzz: $(VENV)/stamp-mxnet
	$(BIN)/python -m pytest tests/fuzz --fuzz $(N)

bench: $(VENV)/stamp-bench
	$(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf $(VENV) build dist *.egg-info
