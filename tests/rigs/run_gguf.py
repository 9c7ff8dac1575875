"""Loads a GGUF file in llama.cpp, reads a text and writes greedily; prints what happened as one JSON line.

Run as a process of its own (`python -m tests.rigs.run_gguf FILE TEXT COUNT [PAST]`), because native code may abort.
With PAST, the last logits are computed with that text in front and with the same text reversed, and their largest
difference is reported.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any


def main(argv: list[str]) -> int:
    """Read a text, write COUNT tokens, and say what was written."""
    os.environ["GGML_NO_BACKTRACE"] = "1"
    import llama_cpp.llama_cpp as llama

    path, text, count = argv[0], argv[1], int(argv[2])
    quiet = llama.llama_log_callback(lambda level, line, data: None)
    llama.llama_log_set(quiet, None)
    llama.llama_backend_init()
    params = llama.llama_model_default_params()
    model = llama.llama_model_load_from_file(path.encode(), params)
    if not model:
        print(json.dumps({"error": "not loaded"}))
        return 1
    run = _Run(llama, model)
    found = run.greedy(text, count)
    if len(argv) > 3:
        found["difference"] = run.difference(argv[3], text)
    print(json.dumps(found))
    return 0


class _Run:
    """One model; each question gets a context of its own."""

    def __init__(self, llama: Any, model: Any) -> None:
        self.llama, self.model = llama, model
        self.vocab = llama.llama_model_get_vocab(model)
        self.n_vocab = llama.llama_vocab_n_tokens(self.vocab)

    def context(self, window: bool) -> Any:
        params = self.llama.llama_context_default_params()
        params.n_ctx, params.n_threads, params.n_threads_batch = 2048, 1, 1
        params.swa_full = not window
        return self.llama.llama_init_from_model(self.model, params)

    def tokens(self, text: str) -> list[int]:
        data = text.encode()
        room = (self.llama.llama_token * (len(data) + 8))()
        n = self.llama.llama_tokenize(self.vocab, data, len(data), room, len(room), True, True)
        return list(room[:n])

    def piece(self, token: int) -> bytes:
        room = ctypes.create_string_buffer(64)
        n = self.llama.llama_token_to_piece(self.vocab, token, room, len(room), 0, False)
        return room.raw[:n]

    def last_logits(self, ctx: Any, tokens: list[int]) -> list[float]:
        kept = (self.llama.llama_token * len(tokens))(*tokens)
        batch = self.llama.llama_batch_get_one(kept, len(tokens))
        if self.llama.llama_decode(ctx, batch) != 0:
            raise RuntimeError("llama_decode failed")
        return list(self.llama.llama_get_logits_ith(ctx, -1)[: self.n_vocab])

    def greedy(self, text: str, count: int) -> dict[str, Any]:
        ctx, prompt, wrote, ended = self.context(window=False), self.tokens(text), [], False
        logits = self.last_logits(ctx, prompt)
        for _ in range(count):
            best = max(range(self.n_vocab), key=logits.__getitem__)
            ended = bool(self.llama.llama_vocab_is_eog(self.vocab, best))
            if ended:
                break
            wrote.append(best)
            logits = self.last_logits(ctx, [best])
        said = b"".join(self.piece(token) for token in wrote)
        read = b"".join(self.piece(token) for token in prompt)
        self.llama.llama_free(ctx)
        return {
            "prompt": prompt,
            "read": read.decode("utf-8", "replace"),
            "tokens": wrote,
            "text": said.decode("utf-8", "replace"),
            "ended": ended,
            "n_ctx_train": self.llama.llama_model_n_ctx_train(self.model),
            "n_swa": self.llama.llama_model_n_swa(self.model),
            "recurrent": bool(self.llama.llama_model_is_recurrent(self.model)),
            "hybrid": bool(self.llama.llama_model_is_hybrid(self.model)),
            "template": bool(self.llama.llama_model_chat_template(self.model, None)),
        }

    def difference(self, past: str, text: str) -> float:
        """Largest difference of a logit at the end of `past + text` when `past` is another text of the same length."""
        ends: list[list[float]] = []
        for before in (past, past[::-1]):
            ctx = self.context(window=True)
            ends.append(self.last_logits(ctx, self.tokens(before + text)))
            self.llama.llama_free(ctx)
        differences: list[float] = [abs(a - b) for a, b in zip(*ends, strict=True)]
        return max(differences)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
