# `make demo` runs the whole workflow in minutes, on a CPU; `make test` runs the tests. Both set up
# what they need in .venv. All paths are relative: the folder's own may contain spaces.

# Looked up only by the targets that need it. PYTHON=/path/to/python3.11 overrules it.
PYTHON = $(shell for python in python3.11 python3; do \
    $$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
    && echo $$python && break; done)
RUN = .venv/bin/python -m
# What `make compare` calls its results.
NAME = compare
# What runs on such CPUs alone.
AVX512 = $(shell grep -qw avx512_bf16 /proc/cpuinfo && echo config/precisions-avx512.yaml)

.PHONY: help demo example precisions compare test test-gpu lint format docs env dev-env llm-compressor-env config-reference envs lock clean distclean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*##/  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 25

demo: env  ## run the demo's grid to figures, tables and a report (VERBOSE=1: every job's lines)
	@$(call alone,snakemake --profile profiles/demo)
	@log=logs/demo/snakemake-report.log; $(RUN) snakemake --profile profiles/demo \
	    --report results/demo/snakemake-report.html >$$log 2>&1 || { cat $$log; exit 1; }
	@printf '\n' && cat results/demo/summary.txt
	@printf '\nFigures: %s\nTables:  %s\nRules:   %s\nReport:  %s\n' results/demo/figures/ \
	    results/demo/tables/ results/demo/snakemake-report.html results/demo/report.html

example: env  ## ask questions on this project's documentation (docs/own-data.md)
	@$(call alone,snakemake --profile profiles/demo --configfile config/own-documents.yaml)
	@printf '\n' && cat results/own-documents/summary.txt
	@printf '\nTables: %s\nReport: %s\n' results/own-documents/tables/ results/own-documents/report.html

precisions: env llm-compressor-env  ## run the demo's model at every precision of a CPU
	@$(call alone,snakemake --profile profiles/demo --configfile config/precisions-cpu.yaml $(AVX512))
	@printf '\n' && cat results/precisions-cpu/summary.txt
	@printf '\nTables: %s\nReport: %s\n' results/precisions-cpu/tables/ results/precisions-cpu/report.html

compare: env  ## compare runs that other programs logged: RUNS="baseline other" (NAME=, AGAIN=)
	@.venv/bin/python workflow/scripts/quantrag/recorded/compare_runs.py \
	    results/$(NAME).yaml $(RUNS) $(if $(AGAIN),--again $(AGAIN))
	@$(RUN) snakemake --cores all --configfile results/$(NAME).yaml
	@printf '\n' && cat results/$(NAME)/summary.txt
	@printf '\nTables: %s\nReport: %s\n' results/$(NAME)/tables/ results/$(NAME)/report.html

test: dev-env  ## run the tests (ARGS="-m 'not slow'" leaves out the long ones)
	@$(RUN) pytest $(ARGS)

test-gpu:  ## run the tests that need a CUDA GPU, in an environment of yours (PYTHON_GPU=)
	@'$(or $(PYTHON_GPU),python)' -m pytest tests/gpu -v $(ARGS)

lint: dev-env  ## check style, formatting and the workflow
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) snakefmt --check Snakefile workflow
	@$(RUN) snakemake --lint

format: dev-env  ## bring all code to the common format
	@$(RUN) ruff check --fix
	@$(RUN) ruff format
	@$(RUN) snakefmt Snakefile workflow

docs: dev-env  ## build the documentation's site in site/; a broken link fails
	@NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --strict

env:  ## create or update .venv for the demo
	@$(call install,demo)

dev-env:  ## the same with what tests and linters need
	@$(call install,demo dev)

llm-compressor-env:  ## create or update .venv-llm-compressor for the methods awq, w8a8 and fp8
	@$(call install,llm-compressor)

config-reference: dev-env  ## write config/README.md and docs/precisions.md from the code
	@.venv/bin/python workflow/scripts/quantrag/config/reference.py
	@.venv/bin/python workflow/scripts/quantrag/quantization/precisions_reference.py

envs: dev-env  ## write envs/*.yaml from envs/packages.toml
	@.venv/bin/python envs/generate.py yaml

lock: dev-env  ## resolve envs/*.lock from envs/packages.toml (ARGS=--upgrade: all versions anew)
	@.venv/bin/python envs/generate.py lock $(ARGS)

clean:  ## delete the demo's results and logs, and caches
	@rm -rf results/demo logs/demo .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

distclean: clean  ## also delete .venv and .venv-llm-compressor
	@rm -rf .venv .venv-llm-compressor

# The profile's runs take no lock of Snakemake's, which outlives a run that was killed. This one doesn't.
# Not every file system has locks, nor every machine the command.
define alone
exec 9> .venv/run.lock; flock --nonblock --conflict-exit-code 75 9; code=$$?; \
if [ $$code = 75 ]; then \
    echo 'error: another run of make goes on in this folder' >&2; exit 75; \
elif [ $$code != 0 ]; then \
    echo 'warning: no lock can be held here; start no second run in this folder' >&2; \
fi; \
$(RUN) $(1)
endef

define install
python='$(PYTHON)'; \
if [ -z "$$python" ]; then \
    echo 'error: Python 3.11 not found; install it or name it: make PYTHON=/path/to/python3.11' >&2; \
    exit 1; \
fi; \
"$$python" envs/install.py $(1)
endef
