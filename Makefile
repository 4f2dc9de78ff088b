# The project's tasks. Each sets up what it needs: a machine with Python 3.11 to 3.13 (pip, venv) and make is enough.
#   make run ARGS="--set search.trials=10"      ARGS is passed on to the command
#   make test PYTHON=/opt/python3.12            PYTHON is the interpreter that .venv is made with

.DEFAULT_GOAL := help
.PHONY: help install run serve test coverage lint format lock audit dashboard cloud-up cloud-down clean

# Usage reporting is off unless your environment turns it on.
ZENML_ANALYTICS_OPT_IN ?= false
BENTOML_DO_NOT_TRACK ?= True
MLFLOW_DISABLE_TELEMETRY ?= true
DO_NOT_TRACK ?= 1
export ZENML_ANALYTICS_OPT_IN BENTOML_DO_NOT_TRACK MLFLOW_DISABLE_TELEMETRY DO_NOT_TRACK

# Paths are relative, so that a space in the folder's own path does no harm.
BIN := .venv/bin
INSTALLED := .venv/.installed
INSTALLING := .venv/.installing
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Each Python is tried by running it: a pyenv shim may be on the PATH and fail, and Debian's Python may lack pip.
PYTHONS = $(if $(PYTHON),"$(PYTHON)",python3.13 python3.12 python3.11 python3)
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--custom-compile-command "make lock"
# Two files at a time in the order of their names: pipelines come early, and many short files come last, so that both
# workers end together.
TESTS := -m pytest -n 2 --dist loadfile --no-loadscope-reorder
IS_FIT := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

help: ## List these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED) ## Create .venv and install requirements.txt; does nothing when that is done

run: $(INSTALLED) ## Train, tune, explain and register a model: run.py with configs/train.yaml
	@$(BIN)/python run.py --config configs/train.yaml $(ARGS)

serve: $(INSTALLED) ## Serve the released model on http://localhost:3000, and train one first if there is none
	@$(BIN)/python run.py serve $(ARGS)

test: $(INSTALLED) ## Run all tests
	@$(BIN)/python $(TESTS) $(ARGS)

coverage: $(INSTALLED) ## Run all tests and print how much of the code, in lines and branches, they reach
	@mkdir -p .cache/coverage && rm -f .cache/coverage/*
	@export COVERAGE_FILE="$$PWD/.cache/coverage/data"; status=0; \
		$(BIN)/coverage run $(TESTS) $(ARGS) || status=$$?; \
		$(BIN)/coverage combine --quiet && $(BIN)/coverage report || status=$$?; exit $$status

lint: $(INSTALLED) ## Check format, style, types and the walls between the rooms
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir .cache/import_linter

format: $(INSTALLED) ## Format the code and correct what ruff can correct
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: $(BIN)/python ## Compile the requirements into locks (ARGS=--upgrade for newer versions)
	@$(PIP) uv
	@$(COMPILE) $(ARGS) requirements.in --output-file requirements.txt
	@$(COMPILE) $(ARGS) requirements.in requirements-cloud.in --output-file requirements-cloud.txt

audit: $(INSTALLED) ## Look the locked packages up among known vulnerabilities
	@$(BIN)/uvx pip-audit --disable-pip --no-deps --requirement requirements.txt

dashboard: $(INSTALLED) ## Open ZenML's dashboard on this machine: runs, artifacts and their pictures
	@$(BIN)/zenml login --local

cloud-up: $(INSTALLED) ## Start a bucket and an MLflow server on this machine, for the stack gcs-emulated
	@$(BIN)/python -m stacks.emulation up

cloud-down: $(INSTALLED) ## Stop both; their data stays in .cache/cloud
	@$(BIN)/python -m stacks.emulation down

clean: ## Remove reports and caches (of data, searches and tools); .venv, models and the bucket of cloud-up stay
	@test ! -d .cache || find .cache -mindepth 1 -maxdepth 1 ! -name cloud -exec rm -rf {} +
	rm -rf reports .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# While .venv is being made it holds a note, which becomes the stamp at the very end. If the note is found at the start,
# an installation was interrupted, and .venv is made anew. The same happens if its Python no longer exists.
ifneq ($(shell test -x $(BIN)/python && test ! -e $(INSTALLING) && echo whole),whole)
.PHONY: $(BIN)/python
endif

$(BIN)/python:
	@for python in $(PYTHONS); do \
		if "$$python" -c '$(IS_FIT)' 2>/dev/null; then \
			rm -rf .venv && mkdir .venv && touch $(INSTALLING) && exec "$$python" -m venv .venv; \
		fi; \
	done; \
	echo "error: no Python 3.11 to 3.13 with pip and venv among "$(PYTHONS)"; name one: make PYTHON=/path/to/python3" >&2; \
	exit 1

# uv does not read the settings of pip. Where uv fails, for instance behind a mirror that only pip knows, pip installs.
$(INSTALLED): requirements.txt $(BIN)/python
	@echo "installing requirements.txt into .venv (half a minute to a few minutes, once)"
	@touch $(INSTALLING)
	@$(BIN)/python -m ensurepip >/dev/null
	@$(PIP) "$$(grep '^uv==' requirements.txt)" && \
		$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --requirement requirements.txt || \
		$(PIP) --requirement requirements.txt
	@mv $(INSTALLING) $(INSTALLED)
