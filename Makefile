SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?=
PORT ?= 8000
DB ?= var/ledger.db
PYTEST_ARGS ?= -n auto --dist worksteal
BENCH_ARGS ?=
LOCK_ARGS ?=
SEEDS ?= 0-200
EMULATOR_PORT ?= 4566
MUTATE_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(LOCK_ARGS)
# The DynamoDB engines the tests run on. MiniStack pins a botocore of its own.
MINISTACK := .venv-ministack
INFRA := .venv-infra
DYNAMODB_LOCAL := .cache/dynamodb-local
# uv takes seconds where pip takes a minute. It does not read pip's settings: where it can't find
# the packages, pip looks for them. $(call install,ENVIRONMENT,REQUIREMENTS)
install = $(BIN)/uv pip install --quiet --compile-bytecode --python $(1)/bin/python --require-hashes -r $(2) || \
	$(1)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r $(2)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s%s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nSettings: PYTHON="%s" PORT=%s DB=%s PYTEST_ARGS="%s" BENCH_ARGS="%s" LOCK_ARGS="%s" SEEDS=%s MUTATE_ARGS="%s" EMULATOR_PORT=%s\n' \
		'$(PYTHON)' '$(PORT)' '$(DB)' '$(PYTEST_ARGS)' '$(BENCH_ARGS)' '$(LOCK_ARGS)' '$(SEEDS)' '$(MUTATE_ARGS)' '$(EMULATOR_PORT)'

.PHONY: run
run: $(VENV)/.run ## Serve the API on 127.0.0.1:PORT, keeping events in the SQLite file DB
	@mkdir -p "$(dir $(DB))"
	@LEDGER_STORE="sqlite:$(DB)" $(BIN)/ledger serve --host 127.0.0.1 --port "$(PORT)"

.PHONY: test
test: check engines $(INFRA)/.done ## Run the checks, then the tests; Terraform's too where it is there
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

.PHONY: check
check: $(VENV)/.dev ## Format, lint, types and import rules: what CI runs before the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

.PHONY: infra
infra: $(VENV)/.dev $(INFRA)/.done engines ## Check Terraform, the image and the workflows alone; fails without Terraform
	@$(BIN)/python terraform/scripts/check.py
	@$(BIN)/python -m pytest --deselect tests/infra/test_configurations.py tests/infra



.PHONY: deploy-local
deploy-local: $(VENV)/.dev $(MINISTACK)/.done ## Apply everything to an emulator of AWS on 127.0.0.1:EMULATOR_PORT, and say how to use it
	@$(BIN)/python terraform/scripts/deploy_local.py up --port $(EMULATOR_PORT)

.PHONY: destroy-local
destroy-local: $(VENV)/.dev ## Take it away again
	@$(BIN)/python terraform/scripts/deploy_local.py down --port $(EMULATOR_PORT)

.PHONY: engines
engines: $(MINISTACK)/.done $(DYNAMODB_LOCAL)/.done ## Install the DynamoDB engines the tests run on

.PHONY: fmt
fmt: $(VENV)/.dev ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(VENV)/.dev engines ## Run the benchmarks
	@$(BIN)/python -m bench $(BENCH_ARGS)

.PHONY: simulate
simulate: $(VENV)/.dev ## Run the simulator on SEEDS (17, or 0-2000), perhaps with a planted BUG
	@$(BIN)/python -m tests.simulation $(SEEDS) $(BUG)

.PHONY: mutate
mutate: $(VENV)/.dev ## Plant mistakes in the domain and the runner; MUTATE_ARGS="--sample 40"
	@$(BIN)/python -m tests.mutation $(MUTATE_ARGS)

# LOCK_ARGS=--upgrade takes the newest releases; without it the pins that still fit are kept.
.PHONY: lock
lock: $(VENV)/.dev ## Pin requirements/*.txt anew from pyproject.toml
	$(LOCK) pyproject.toml --extra cli --group dev --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --extra cli --group build --constraint requirements/dev.txt --output-file requirements/run.txt
	$(LOCK) pyproject.toml --constraint requirements/dev.txt --output-file requirements/lambda.txt
	$(LOCK) --group pyproject.toml:ministack --output-file requirements/ministack.txt
	$(LOCK) --group pyproject.toml:install --constraint requirements/dev.txt --output-file requirements/uv.txt
	$(LOCK) --group pyproject.toml:infra --output-file requirements/infra.txt
	$(LOCK) --group pyproject.toml:lambda-runtime --output-file requirements/lambda-runtime.txt

.PHONY: clean
clean: ## Remove the virtual environments and every cache; the data in var/ stays
	rm -rf $(VENV) $(MINISTACK) $(INFRA) .cache build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
		if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Creating $(VENV) with $$("$$python" --version)"; \
			"$$python" -m venv --clear $(VENV) && touch $@; \
			exit; \
		fi; \
	done; \
	echo 'No Python 3.11 or newer (with its venv module) was found. Install one, or name it: make PYTHON=/path/to/python' >&2; \
	exit 1

$(VENV)/.uv: requirements/uv.txt | $(VENV)/.created
	$(PIP) install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/.uv
	$(call install,$(VENV),requirements/run.txt)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Everything in run.txt is in dev.txt at the same version, so the run stamp is met as well.
$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/.uv
	$(call install,$(VENV),requirements/dev.txt)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run

$(MINISTACK)/.done: requirements/ministack.txt | $(VENV)/.uv
	$(BIN)/python -m venv --clear $(MINISTACK)
	$(call install,$(MINISTACK),requirements/ministack.txt)
	@touch $@

$(INFRA)/.done: requirements/infra.txt | $(VENV)/.uv
	$(BIN)/python -m venv --clear $(INFRA)
	$(call install,$(INFRA),requirements/infra.txt)
	@touch $@

$(DYNAMODB_LOCAL)/.done: requirements/dynamodb-local.pin tests/support/dynamodb_local.py | $(VENV)/.created
	$(BIN)/python -m tests.support.dynamodb_local
	@touch $@
