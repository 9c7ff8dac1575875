# Everything a fresh machine needs is Python 3.11 or newer, a C++ compiler and make.
#   make run    open the workbench on the demo model        make test   everything that CI runs
#   make check  lint, types, import contracts               make bench  figures for benchmarks/results/
#   make run GPU=cuda (or vulkan, metal, hip)               build llama.cpp for a GPU first

PYTHON ?= python3
GPU    ?=
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
LLAMA  := $(shell sed -n 's/.*"\(llama-cpp-python==[^"]*\)".*/\1/p' pyproject.toml)

# GCC 12 compiles llama.cpp's AMX kernels wrongly (llama.cpp #20824). puna never uses them; without them llama.cpp keeps its
# other fast CPU kernels.
NO_AMX := $(shell grep -qsm1 amx_int8 /proc/cpuinfo && echo | $${CC:-cc} -mno-amx-int8 -E - >/dev/null 2>&1 && \
	echo -DCMAKE_C_FLAGS=-mno-amx-int8 -DCMAKE_CXX_FLAGS=-mno-amx-int8)

CMAKE_GPU_cuda   := -DGGML_CUDA=on
CMAKE_GPU_vulkan := -DGGML_VULKAN=on
CMAKE_GPU_metal  := -DGGML_METAL=on
CMAKE_GPU_hip    := -DGGML_HIP=on

.PHONY: all run test check lint types contracts bench clean gpu

all: $(STAMP) gpu

run: all
	@$(BIN)/puna

test: check
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

check: lint types contracts

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell tui tests benchmarks themes README.md CHANGELOG.md config.example.toml

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m benchmarks

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("puna needs Python 3.11 or newer; this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import importlib.metadata as m; m.version("llama-cpp-python")' 2>/dev/null || \
		echo "Compiling llama.cpp: about 8 minutes on 2 cores, less on more. pip keeps the result for the next time."
	CMAKE_ARGS="$(NO_AMX) $(CMAKE_ARGS)" $(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c constraints.txt -e '.[demo,dev,serve]'
	@touch $@

# pip's cache does not know about build flags, so a build for a GPU bypasses it. One stamp a kind: nothing is built twice.
gpu: $(STAMP)
ifneq ($(GPU),)
	@test -n "$(CMAKE_GPU_$(GPU))" || { echo "GPU=$(GPU) is not one of cuda, vulkan, metal, hip"; exit 2; }
	@test -e $(VENV)/.gpu-$(GPU)-$(LLAMA) || { rm -f $(VENV)/.gpu-*; \
		echo "Compiling llama.cpp for $(GPU): 10 to 30 minutes."; \
		CMAKE_ARGS="$(CMAKE_GPU_$(GPU)) $(NO_AMX) $(CMAKE_ARGS)" $(BIN)/python -m pip install --quiet --disable-pip-version-check \
			--force-reinstall --no-deps --no-cache-dir --no-binary llama-cpp-python '$(LLAMA)' \
		&& touch $(VENV)/.gpu-$(GPU)-$(LLAMA); }
endif

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
