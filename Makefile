# make book   the workbook, executed and built to _build/html
# make test   the tests
# make lint   style and types
# make lab    JupyterLab with chapters and the students' notebooks in _build/exercises
# make clean  removes everything that make has made
#
# Needs Python >= 3.11 and a package index. `make PYTHON=... VENV=... test` chooses another Python or place.

FIND_PYTHON = for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done
PYTHON ?= $(shell $(FIND_PYTHON))
VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check

# One thread each for the linear algebra: pytest's workers already fill the cores.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: book test lint lab clean

book: $(VENV)/.installed
	$(BIN)/mixedsim book

test: $(VENV)/.installed
	$(ONE_THREAD) $(BIN)/python -m pytest --numprocesses auto $(PYTEST_ARGS)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/mypy

lab: $(VENV)/.installed-lab
	@test -d _build/exercises || $(BIN)/mixedsim exercises build
	$(BIN)/jupyter lab

# Installs again only when the exact set or the package's own description changes.
$(VENV)/.installed: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "mixedsim needs Python 3.11 or newer; name it with: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --requirement requirements.txt
	$(PIP) install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.installed-lab: $(VENV)/.installed
	$(PIP) install --quiet --constraint requirements.txt --editable ".[lab]"
	@# else JupyterLab would open chapters as text
	$(BIN)/jupytext-config --settings-file $(VENV)/share/jupyter/lab/settings/overrides.json set-default-viewer markdown myst
	@touch $@

clean:
	rm -rf _build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find book exercises mixedsim tests -name __pycache__ -type d -prune -exec rm -rf {} +
