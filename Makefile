# Two commands on a fresh machine: `make run` and `make test`.
# They need Python 3.11 or newer, make and a shell.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUPERSET := $(VENV)/superset
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --no-deps --no-compile --require-hashes --requirement
FINISH = $(PIP) install --no-deps --no-build-isolation --editable . \
	&& $(BIN)/python -m compileall -q -j 0 $(VENV)/lib && touch $@

.PHONY: help run test lint docs bench bench-run bench-load bench-validation bench-questions test-superset clean

help:
	@echo "make run    set up, run the main job on the bundled sample"
	@echo "make test   set up, run every test"
	@echo "make test-superset  show the dashboards on a real Superset, in an environment of its own"
	@echo "make lint   check format, style and types"
	@echo "make docs   dbt's documentation of the current publication, as one web page"
	@echo "make bench  time the main job at growing size beside baselines (an hour); more with"
	@echo "            SCALES='10000 100000 1000000' (a day), fewer with ROUNDS=1"
	@echo "make bench-run   the main job on the bundled sample, phase by phase"
	@echo "make bench-load  the loader per format against the engine's own reader"
	@echo "make bench-validation  share of validation in a large run (half an hour)"
	@echo "make bench-questions  time the example questions with eight readers at once"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Tierwise needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) (once; a few minutes)"
	@$(INSTALL) requirements.lock
	@$(FINISH)

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) for tests (once; a few minutes)"
	@$(INSTALL) requirements-dev.lock
	@$(FINISH)

# dbt parses the project once for a home, as part of setting it up.
home/dbt/manifest.json: | $(VENV)/.installed
	@$(BIN)/python -m orchestration.warehouse.prepare

run: $(VENV)/.installed home/dbt/manifest.json
	@$(BIN)/tierwise run --landing seeds/sample/landing --reference seeds/sample/reference
	@echo
	@echo "What to try next:"
	@echo "  $(BIN)/python -c \"import duckdb; print(duckdb.connect('home/published/current/tierwise.duckdb', read_only=True).sql('select tier_code, count(*) from marts.dim_customer group by 1 order by 2'))\""
	@echo "  $(BIN)/tierwise status"
	@echo "  $(BIN)/tierwise ui            Dagster on http://127.0.0.1:3000"
	@echo "  $(BIN)/tierwise run --help    your own files"

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy
	@home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && export TIERWISE_HOME="$$home" \
		DBT_TARGET_PATH="$$home" DBT_LOG_PATH="$$home" && $(BIN)/sqlfluff lint --processes 2 \
		dbt_project/models dbt_project/snapshots dbt_project/tests/singular
	@$(BIN)/sqlfluff lint --templater raw \
		--exclude-rules references.qualification,layout.keyword_newline docs/questions

docs: $(VENV)/.installed
	@$(BIN)/python -m orchestration.documentation site

# Numbers of customers, and how often each is measured.
SCALES ?= 10000 100000
ROUNDS ?= 3

bench: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.benchmarks.scales --customers $(SCALES) --runs $(ROUNDS)

bench-run: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.benchmarks.main_job

bench-load: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.benchmarks.loading

bench-validation: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.benchmarks.validation

bench-questions: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.benchmarks.questions

$(SUPERSET)/.installed: tests/superset/requirements-superset.lock | $(BIN)/python
	@echo "Setting up $(SUPERSET) (once; a few minutes)"
	@$(PYTHON) -m venv --clear $(SUPERSET)
	@$(SUPERSET)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps \
		--no-compile --require-hashes --requirement $<
	@$(SUPERSET)/bin/python -m compileall -q -j 0 $(SUPERSET)/lib && touch $@

test-superset: $(VENV)/.installed-dev $(SUPERSET)/.installed
	@$(BIN)/python -m pytest tests/superset/real_superset.py

clean:
	@rm -rf $(VENV) home target
