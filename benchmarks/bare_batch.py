"""llama.cpp's own batched decode of several texts and nothing else: the yardstick of two_panes, run by it as a process.

Reads lines of JSON ({"texts", "tokens"}) and answers each with how many tokens a second all texts got together. Same
file, threads, cache and greedy sampling as the engine.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import llama_cpp.llama_cpp as L

from benchmarks.bare_loop import ENGINE_NICE, load

SEQUENCES = 2


def main() -> None:
    """Load argv[1] with argv[2] threads and argv[3] tokens for each text, on a GPU if argv[4] is 1; answer until stdin
    ends."""
    os.nice(ENGINE_NICE)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    quiet = L.llama_log_callback(lambda _level, _text, _data: None)
    L.llama_log_set(quiet, ctypes.c_void_p(0))
    path, threads, n_ctx, gpu = sys.argv[1], *map(int, sys.argv[2:5])
    model, context = load(path, threads, n_ctx, sequences=SEQUENCES, n_gpu_layers=-1 if gpu else 0)
    batch = L.llama_batch_init(512, 0, 1)
    print(json.dumps({"ready": True}), file=out, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        rate = _run(model, context, batch, request["texts"], request["tokens"])
        print(json.dumps({"decode_tok_s": rate}), file=out, flush=True)


def _run(model: Any, context: Any, batch: Any, texts: Sequence[str], count: int) -> float:
    vocab = L.llama_model_get_vocab(model)
    L.llama_memory_clear(L.llama_get_memory(context), True)
    sampler, buffer = L.llama_sampler_init_greedy(), ctypes.create_string_buffer(256)
    tokens, positions = [], []
    for sequence, text in enumerate(texts):
        prompt = _tokens(vocab, text)
        last = len(prompt) - 1
        _decode(context, batch, [(token, at, sequence, at == last) for at, token in enumerate(prompt)])
        tokens.append(L.llama_sampler_sample(sampler, context, -1))
        positions.append(len(prompt))
    begun = time.monotonic()
    for step in range(count):
        shares = [(token, positions[at] + step, at, True) for at, token in enumerate(tokens)]
        _decode(context, batch, shares)
        for at in range(len(tokens)):
            tokens[at] = L.llama_sampler_sample(sampler, context, at)
            L.llama_token_to_piece(vocab, tokens[at], buffer, len(buffer), 0, True)
    seconds = time.monotonic() - begun
    L.llama_sampler_free(sampler)
    return len(texts) * count / seconds


def _tokens(vocab: Any, text: str) -> list[int]:
    raw = text.encode()
    tokens = (L.llama_token * (len(raw) + 8))()
    return list(tokens[: L.llama_tokenize(vocab, raw, len(raw), tokens, len(tokens), True, True)])


def _decode(context: Any, batch: Any, shares: Sequence[tuple[int, int, int, bool]]) -> None:
    """Compute (token, position, sequence, whether its logits are wanted) in one call."""
    batch.n_tokens = len(shares)
    for at, (token, position, sequence, output) in enumerate(shares):
        batch.token[at], batch.pos[at], batch.n_seq_id[at] = token, position, 1
        batch.seq_id[at][0], batch.logits[at] = sequence, output
    if L.llama_decode(context, batch) != 0:
        raise SystemExit("llama_decode failed")


if __name__ == "__main__":
    main()
