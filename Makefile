# Everything a fresh machine needs is Python 3.11+, pip and make.
#   make demo    sets up, starts the lab with an incident in it, shows what payops says of it
#   make test    sets up, runs every test
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.payops
# Neighbours stay together, so that a lab is started once for the tests of one file.
WORKERS ?= -n 2 --dist worksteal

.PHONY: demo test quick check format bench docs clean python

demo: $(STAMP)-lab
	@$(BIN)/payops demo

test: $(STAMP)-dev
	$(BIN)/python -m pytest $(WORKERS) $(ARGS)

quick: $(STAMP)-dev  ## the tests that take no time
	$(BIN)/python -m pytest $(WORKERS) -m "not slow" $(ARGS)

check: $(STAMP)-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	XDG_CONFIG_HOME=/nonexistent $(BIN)/payops runbook check

format: $(STAMP)-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)-dev
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(STAMP)-dev
	$(BIN)/python -m docgen.reference

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "payops needs Python 3.11 or newer; $(PYTHON) is" "$$($(PYTHON) -V)" \
	    "- say which one: make PYTHON=python3.12 ..." >&2; exit 1; }

$(STAMP)-lab: pyproject.toml | python
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[lab]'
	@touch $@

$(STAMP)-dev: pyproject.toml | python
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(STAMP)-lab

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
