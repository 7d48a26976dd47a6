# Needs Python 3.11 or newer and make; everything else is installed into .venv and .venv-peers.
PYTHON ?= python3
# Processes that the tests run in.
WORKERS ?= 2
# The examples that run: make examples EXAMPLES=examples/uses/read/read.py
EXAMPLES ?= $(shell find examples -name "*.py" | sort)

PIP = -m pip install -qq --disable-pip-version-check -c constraints.txt
# Each worker gets one thread for NumPy: two workers with a pool each would fight over the cores.
PYTEST = OMP_NUM_THREADS=1 $(1)/bin/python -m pytest -n $(WORKERS) --dist worksteal

.PHONY: demo test test-peers bench examples docs clean

demo: .venv/base
	.venv/bin/chainrule demo

test: .venv/test
	.venv/bin/ruff check --quiet .
	.venv/bin/mypy
	$(call PYTEST,.venv) -m "not peers"

test-peers: .venv-peers/peers
	$(call PYTEST,.venv-peers) -m peers

# Both are undone for a benchmark: they pick the kernels of NumPy's BLAS, and so the peer that we are compared with.
bench: .venv-peers/peers
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE .venv-peers/bin/python -m benchmarks

# At full size: the lessons take seconds, each of examples/uses up to 20 minutes on two cores. One that fails, such as for
# data that is not there, does not keep the others from running.
examples: .venv/examples
	@failed=; for file in $(EXAMPLES); do \
	  echo "== $$file"; .venv/bin/python "$$file" || failed="$$failed $$file"; \
	done; test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

# The course, the guides and the interface as a site in build/docs; its numbers are computed on the way, in half a minute.
docs: .venv/docs
	.venv/bin/python -m sphinx -q -E -W --keep-going -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

clean:
	rm -rf .venv .venv-peers build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# The stamps below are files inside the environments: what is installed is installed again only when its list changes.

.venv/base: pyproject.toml constraints.txt
	$(call environment,.venv)
	.venv/bin/python $(PIP) -e .
	@touch $@

.venv/test: .venv/base
	.venv/bin/python $(PIP) -e '.[test]'
	@touch $@

.venv/docs: .venv/base
	.venv/bin/python $(PIP) -e '.[docs]'
	@touch $@

.venv/examples: .venv/base
	.venv/bin/python $(PIP) -e '.[examples]'
	@touch $@

.venv-peers/peers: pyproject.toml constraints.txt constraints-peers.txt
	$(call environment,.venv-peers)
	.venv-peers/bin/python $(PIP) -c constraints-peers.txt -e '.[test,peers]' \
	  || { echo "PyTorch's CPU build was not found? See the head of constraints-peers.txt."; exit 1; }
	@touch $@

define environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
  "chainrule needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12")'
$(PYTHON) -m venv $(1)
endef
