"""Decodes with a model of which only the header is here: `python -m tui.llama.phantom`. A process of its own.

Reads a PhantomRequest (MessagePack) from its standard input and prints a PhantomAnswer as JSON. The weights are a hole
in a file, which reads as zeros, and the memory of the model is really taken: whoever asks makes sure that it is there.
Zeros cost as much arithmetic as other numbers, but a router of experts always picks the same ones, so mixtures of
experts appear faster than they are.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from tui.llama.hollow import hollow_file
from tui.llama.openmp import share_the_cores
from tui.llama.phantom_messages import PhantomAnswer, PhantomFailed, PhantomRequest, PhantomSpeed

if TYPE_CHECKING:
    from tui.llama.model import LoadedModel

_SHORT_PROMPT, _LONG_PROMPT = 32, 512
"""A prompt is made longer while reading it takes less than PROMPT_S."""
_PROMPT_S, _DECODE_S = 1.0, 3.0
_LEAST_DECODED, _MOST_DECODED = 4, 64
_FIRST_TOKEN = 5


def run(request: PhantomRequest) -> PhantomAnswer:
    """Load, read a prompt, decode; memory is given back before this returns."""
    from tui.llama.errors import LlamaError
    from tui.llama.log import NativeLog
    from tui.llama.model import LoadedModel

    log = NativeLog()
    log.install()
    with hollow_file(request.header, request.data_bytes) as path:
        model = LoadedModel(path, request.settings, threads=request.threads, log=log)
        try:
            model.load(lambda _: None)
        except LlamaError as error:
            message = str(error).replace(f"load {path.name}", "load the header", 1)
            return PhantomFailed(message=message, hint=error.hint)
    try:
        return _timed(model)
    finally:
        model.close()


def _timed(model: LoadedModel) -> PhantomSpeed:
    longest = max(1, min(_LONG_PROMPT, model.n_ctx // 2))
    _read(model, min(_SHORT_PROMPT, longest))  # what is set up at first use is no part of the speed
    count = min(_SHORT_PROMPT, longest)
    prompt_s = _read(model, count)
    while prompt_s < _PROMPT_S and count < longest:
        count = min(4 * count, longest)
        prompt_s = _read(model, count)
    token_s = _decode(model, count)
    return PhantomSpeed(
        prefill_tok_s=count / prompt_s,
        prefill_tokens=count,
        decode_tok_s=1 / statistics.median(token_s),
        decode_tokens=len(token_s),
        n_past=count + len(token_s) // 2,
        load_s=model.load_s,
    )


def _read(model: LoadedModel, count: int) -> float:
    """Read a prompt of `count` tokens into an empty context; seconds."""
    model.clear(0)
    begun = time.perf_counter()
    for start in range(0, count, model.n_ubatch):
        end = min(count, start + model.n_ubatch)
        _step(model, range(start, end), start)
    return time.perf_counter() - begun


def _decode(model: LoadedModel, n_past: int) -> list[float]:
    """Decode token by token from `n_past` on; the seconds of each."""
    room = max(1, min(_MOST_DECODED, model.n_ctx - n_past))
    token_s: list[float] = []
    while len(token_s) < room and (len(token_s) < _LEAST_DECODED or sum(token_s) < _DECODE_S):
        position, begun = n_past + len(token_s), time.perf_counter()
        _step(model, [position], position)
        token_s.append(time.perf_counter() - begun)
    return token_s


def _step(model: LoadedModel, numbers: Sequence[int], position: int) -> None:
    from tui.llama.model import Piece

    tokens = [(_FIRST_TOKEN + number) % max(1, model.vocab.size) for number in numbers]
    code = model.decode([Piece(0, position, tokens, True)])
    if code:
        raise RuntimeError(f"llama_decode answered {code}")
    model.synchronize()


def main() -> None:
    """Answer one request; native code's own printing goes nowhere."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    request = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=PhantomRequest)
    share_the_cores(request.threads, request.cpus)  # before llama.cpp is loaded
    out.write(msgspec.json.encode(run(request)) + b"\n")
    out.flush()


if __name__ == "__main__":
    main()
