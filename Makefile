# Everything there is to do with a checkout. Each target does its own set-up; `make` alone lists them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PACKAGES := assistant channels actions tests benchmarks
PYTHON_FILES := $(wildcard $(PACKAGES))

.PHONY: help run test lint format evaluate bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/.installed ## Install, train, migrate and start; prints the address to open
	@$(BIN)/assistant run

test: lint ## Check style and types, then run every test
	@$(BIN)/pytest --cov --numprocesses 2 --dist loadfile

lint: .venv/.installed-dev ## Check style and types
	@echo "Checking style ..."
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "Some files are not formatted: run make format."; exit 1; }
	@echo "Checking types ..."
	@$(BIN)/mypy $(PYTHON_FILES)

format: .venv/.installed-dev ## Format the code and mend what ruff can mend by itself
	@$(BIN)/ruff check --fix --quiet; $(BIN)/ruff format

evaluate: .venv/.installed ## Measure how well held-out phrasings are understood
	@$(BIN)/assistant evaluate

bench: .venv/.installed-dev ## Compare turns with stock Rasa in one run; takes a while
	@$(BIN)/python benchmarks/turns.py

clean: ## Remove what was installed and trained; keeps the database and the settings
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .rasa .coverage
	rm -f models/*.tar.gz models/*.sha256

# The two stamps make a second run immediate. Running never takes the developer's tools away (--inexact), testing has
# exactly what the lock says.
.venv/.installed: uv.lock pyproject.toml
	@echo "Installing what uv.lock lists; the first time takes some minutes ..."
	@scripts/uv sync --locked --no-dev --inexact
	@touch $@

.venv/.installed-dev: uv.lock pyproject.toml
	@echo "Installing what uv.lock lists, with the tools for tests; the first time takes some minutes ..."
	@scripts/uv sync --locked
	@touch .venv/.installed $@
