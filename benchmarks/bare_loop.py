"""llama.cpp's own loop and nothing else: the yardstick that the engine is held against. Run as a process by
engine_speed.

Reads lines of JSON ({"text", "tokens"}) and answers each with its rates. Same file, threads, batch sizes and greedy
sampling as the engine; the token loop is `llama_decode`, `llama_sampler_sample`, `llama_token_to_piece`.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from typing import Any

import llama_cpp.llama_cpp as L

ENGINE_NICE = 10


def main() -> None:
    """Load argv[1] with argv[2] threads and a context of argv[3] tokens; then answer until stdin ends.

    At the nice value of an engine, so that whatever else runs on the machine slows both alike.
    """
    os.nice(ENGINE_NICE)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    quiet = L.llama_log_callback(lambda _level, _text, _data: None)
    L.llama_log_set(quiet, ctypes.c_void_p(0))
    model, context = load(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps({"ready": True}), file=out, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(_run(model, context, request["text"], request["tokens"])), file=out, flush=True)


def load(path: str, threads: int, n_ctx: int, *, sequences: int = 1, n_gpu_layers: int = 0) -> tuple[Any, Any]:
    """A model and its context, set as the engine sets them; `n_ctx` is of each sequence."""
    L.llama_backend_init()
    mp = L.llama_model_default_params()
    mp.load_mode, mp.n_gpu_layers = 0, n_gpu_layers
    mp.use_extra_bufts = b"AMX_INT8 = 1" not in L.llama_print_system_info()  # as in tui.llama.params
    model = L.llama_model_load_from_file(path.encode(), mp)
    cp = L.llama_context_default_params()
    cp.n_ctx, cp.n_batch, cp.n_ubatch = n_ctx * sequences, 2048, 512
    cp.n_seq_max, cp.n_outputs_max, cp.kv_unified = sequences, sequences, sequences > 1
    cp.n_threads = cp.n_threads_batch = threads
    return model, L.llama_init_from_model(model, cp)


def _run(model: Any, context: Any, text: str, count: int) -> dict[str, Any]:
    vocab, raw = L.llama_model_get_vocab(model), text.encode()
    tokens = (L.llama_token * (len(raw) + 8))()
    n = L.llama_tokenize(vocab, raw, len(raw), tokens, len(tokens), True, True)
    L.llama_memory_clear(L.llama_get_memory(context), True)
    sampler, buffer, one = L.llama_sampler_init_greedy(), ctypes.create_string_buffer(256), (L.llama_token * 1)()
    begun = time.monotonic()
    for start in range(0, n, 512):
        part = (L.llama_token * min(512, n - start))(*tokens[start : min(n, start + 512)])
        L.llama_decode(context, L.llama_batch_get_one(part, len(part)))
    first = L.llama_sampler_sample(sampler, context, -1)
    prefilled = time.monotonic()
    pieces, token = [], first
    for _ in range(count - 1):
        L.llama_token_to_piece(vocab, token, buffer, len(buffer), 0, True)
        pieces.append(buffer.value)
        one[0] = token
        L.llama_decode(context, L.llama_batch_get_one(one, 1))
        token = L.llama_sampler_sample(sampler, context, -1)
    ended = time.monotonic()
    L.llama_sampler_free(sampler)
    return {
        "prompt_tokens": n,
        "prefill_tok_s": n / (prefilled - begun),
        "decode_tok_s": (count - 1) / (ended - prefilled),
    }


if __name__ == "__main__":
    main()
