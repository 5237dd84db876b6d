# `make help` lists the targets.
SHELL := /bin/sh
BIN := .venv/bin
# The newest Python that the locked packages have wheels for.
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(shell \
    command -v $(p) >/dev/null 2>&1 && $(p) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' \
    && echo $(p))))

# Pages run in book/, tests anywhere: a folder given relative to here is made absolute.
ifneq ($(VAE_COURSE_DATA),)
ifneq ($(wildcard $(VAE_COURSE_DATA)/.),)
override VAE_COURSE_DATA := $(abspath $(VAE_COURSE_DATA))
export VAE_COURSE_DATA
endif
endif

.DEFAULT_GOAL := help
.PHONY: help env book serve test-pages linkcheck exercises test test-fast test-solutions lint bench bench-grade calibrate lock clean
# The solutions keep what they trained apart from what a student keeps.
NBVAL := VAE_COURSE_CACHE=$(CURDIR)/_build/solutions $(BIN)/python -m pytest --nbval-lax \
    --nbval-cell-timeout=300 -p no:cacheprovider -n 2 --dist loadscope

help: ## list the targets
	@echo "Usage: make TARGET [VAE_COURSE_DATA=folder|hub id|digits]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: .venv/.complete ## make the environment in .venv from the lock file

.venv/.complete: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.14 is needed: install one, or name it: make env PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python cannot make an environment: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked packages (1.5 GB, some minutes) …"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

book: env ## build the book, every page executed; ends with the path to open
	@$(BIN)/python book/build.py

serve: env ## build the book, open it, and build again on every save
	@$(BIN)/python book/serve.py

test-pages: env ## test the built book in a browser: every page, every live figure
	$(BIN)/python -m pytest -n 2 --dist loadfile -m built tests/test_book.py tests/test_pages.py

linkcheck: env ## follow every link of the book (needs the network)
	$(BIN)/jupyter-book build . --builder linkcheck

exercises: env ## make the exercises' notebooks from solutions/*.md, and run the changed solutions
	$(BIN)/vae-course exercises build

test: env ## run all the tests, and every solution on your data and on the digits
	$(BIN)/python -m pytest -n 2 --dist loadfile
	@$(MAKE) --no-print-directory test-solutions

test-solutions: env ## run the solutions as a student would, on your data and on the digits
	$(BIN)/vae-course exercises verify
	$(NBVAL) solutions
	VAE_COURSE_DATA=digits $(NBVAL) solutions

test-fast: env ## run the tests that take seconds, while working
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not built"

lint: env ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: env ## measure speed, memory, start-up and quality; prints a table, writes JSON
	$(BIN)/python benchmarks/run.py

bench-grade: env ## measure what grading costs, and whether it is fair (hours; needs bubblewrap)
	VAE_COURSE_DATA=digits VAE_COURSE_BUDGET=smoke PYTHONPATH=tests $(BIN)/python benchmarks/grade.py

calibrate: env ## measure what the checks' thresholds judge, over 20 seeds (hours; resumes)
	$(BIN)/python benchmarks/calibrate.py

lock: ## resolve the newest packages into requirements.lock (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --fork-strategy fewest --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --upgrade -q -o requirements.lock

clean: ## remove what was built; .venv and downloaded data stay
	rm -rf _build .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	find vae_course tests book benchmarks solutions -name __pycache__ -prune -exec rm -rf {} +
