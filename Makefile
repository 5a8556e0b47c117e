# Footnote: every task of this repository. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export PYTHON

.PHONY: help setup setup-peers setup-run setup-test run test check explore bench requirements mutants chaos test-llama screenshots

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## make .venv with all Python packages (GPU=1 for the CUDA build of PyTorch)
	@packaging/setup/environment.sh

setup-peers: setup ## make build/bench-env with the pipelines that `make bench` compares with
	@packaging/setup/environment.sh peers

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

explore: setup-test ## run the property tests with examples never tried before (ARGS="tests/gui --hypothesis-seed=1")
	FOOTNOTE_EXPLORE=1 $(BIN)/python -m pytest -n 2 -m hypothesis $(ARGS)

requirements: setup-test ## which rows of the chat layer's requirement table are proven by tests
	$(BIN)/python -m tests.requirements_report

mutants: setup-test ## break the chat layer in small ways; every break must fail a test
	$(BIN)/python -m tests.mutants

test-llama: setup-test ## build llama.cpp's own server once (20 minutes) and run the tests against it
	@packaging/llama/build_server.sh
	FOOTNOTE_LLAMA_SERVER=$(CURDIR)/build/llama/llama-server $(BIN)/python -m pytest tests/chat_models/llama $(ARGS)

screenshots: setup-test ## pictures of the window in named states, into build/screenshots
	xvfb-run -a -s "-screen 0 1440x900x24" $(BIN)/python -m tests.gui.screenshots

KILLS ?= 100
SEED ?= 7
FILES ?= 60

chaos: setup-test ## kill ingestion at KILLS random points that follow from SEED; nothing may be lost or done twice
	$(BIN)/python -m tests.faults.chaos --kills $(KILLS) --seed $(SEED) --files $(FILES)
	FOOTNOTE_FLIPS=100 $(BIN)/python -m pytest -q -s tests/faults/test_damaged_files.py -k flipped

bench: setup-test setup-peers ## measure speed, memory and quality (NAMES="quality scale" for some)
	$(BIN)/python -m tests.benchmarks $(NAMES)
