# Footnote: every task of this repository. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export PYTHON

.PHONY: help setup setup-run setup-test run test check bench requirements mutants screenshots

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## make .venv with all Python packages (GPU=1 for the CUDA build of PyTorch)
	@packaging/setup/environment.sh

setup-run:
	@packaging/setup/system_packages.sh run
	@$(MAKE) --no-print-directory setup

setup-test:
	@packaging/setup/system_packages.sh test
	@$(MAKE) --no-print-directory setup

run: setup-run ## set everything up and open Footnote with the sample library
	$(BIN)/python -m app --sample

test: setup-test ## set everything up and run all tests (ARGS=... goes to pytest)
	$(BIN)/python -m pytest -n 2 $(ARGS)

check: setup ## formatting, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-test ## measure speed, memory and quality (NAMES="retrieval ingest" for some)
	$(BIN)/python -m tests.benchmarks $(NAMES)
