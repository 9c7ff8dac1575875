"""Loads GGUF files in llama.cpp without their weights and prints one JSON line for each: what llama.cpp made of it.

Run as a process of its own (`python -m tests.rigs.load_facts FILE…`), because native code may abort.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main(paths: list[str]) -> int:
    """Load each in turn."""
    os.environ["GGML_NO_BACKTRACE"] = "1"
    import llama_cpp.llama_cpp as llama

    quiet = llama.llama_log_callback(lambda level, line, data: None)
    llama.llama_log_set(quiet, None)
    llama.llama_backend_init()
    for path in paths:
        print(json.dumps(_facts(llama, path)), flush=True)
    return 0


def _facts(llama: Any, path: str) -> dict[str, int] | None:
    params = llama.llama_model_default_params()
    params.no_alloc, params.load_mode = True, llama.LLAMA_LOAD_MODE_NONE
    model = llama.llama_model_load_from_file(path.encode(), params)
    if not model:
        return None
    facts = {
        "bytes": llama.llama_model_size(model),
        "parameters": llama.llama_model_n_params(model),
        "n_vocab": llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(model)),
        "n_layer": llama.llama_model_n_layer(model),
        "n_ctx_train": llama.llama_model_n_ctx_train(model),
        "n_embd": llama.llama_model_n_embd(model),
        "n_head_kv": llama.llama_model_n_head_kv(model),
    }
    llama.llama_model_free(model)
    return facts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
