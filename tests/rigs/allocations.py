"""What llama.cpp itself reports for a file, by part, in a process of its own: the fact that a dry run is held against.

`Allocations` is the parent's side and imports no llama.cpp. The child (`python -m tests.rigs.allocations`) translates
settings exactly as the engine does and answers one line of JSON for each line that it reads.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tui.llama.settings import LoadSettings


class Question(msgspec.Struct):
    """One file under several settings; only settings of the context may differ, so that it is loaded once."""

    path: str
    settings: tuple[LoadSettings, ...]
    really: bool
    """Allocate everything, weights included; otherwise llama.cpp only lays it out (no_alloc)."""
    defaults: bool = False
    """Leave n_outputs_max and kv_unified at llama.cpp's defaults, as other programs do."""


class Parts(msgspec.Struct, frozen=True):
    """Bytes on the host by part."""

    weights_bytes: int
    context_bytes: int
    compute_bytes: int

    @property
    def sum_bytes(self) -> int:
        """All parts together."""
        return self.weights_bytes + self.context_bytes + self.compute_bytes


class Answer(msgspec.Struct):
    """One entry for each of the settings; None where llama.cpp refused to make the context."""

    parts: tuple[Parts | None, ...] = ()
    error: str = ""


class Allocations:
    """A running child; `ask` waits for its answer."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def ask(
        self, path: Path, settings: Sequence[LoadSettings], *, really: bool, defaults: bool = False
    ) -> tuple[Parts | None, ...]:
        """What each of the settings takes. Raises RuntimeError when the file does not load or the child dies."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = Question(str(path), tuple(settings), really, defaults)
        self._process.stdin.write(msgspec.json.encode(question) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"llama.cpp ended the process over {path.name} (exit {self._process.wait()})")
        answer = msgspec.json.decode(line, type=Answer)
        if answer.error:
            raise RuntimeError(f"{path.name}: {answer.error}")
        return answer.parts


@contextmanager
def allocations() -> Iterator[Allocations]:
    """A child that answers until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.rigs.allocations"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        yield Allocations(process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    """Answer until standard input ends."""
    from tui.llama.binding import start_backend
    from tui.llama.log import NativeLog

    log = NativeLog()
    log.install()
    start_backend()
    for line in sys.stdin.buffer:
        answer = _answer(msgspec.json.decode(line, type=Question), log)
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


def _answer(question: Question, log: Any) -> Answer:
    from tui.llama.binding import L
    from tui.llama.params import model_params

    made = model_params(question.settings[0])
    made.params.no_alloc = not question.really
    model = L.llama_model_load_from_file(question.path.encode(), made.params)
    if not model:
        return Answer(error="; ".join(log.errors()[-2:]))
    try:
        return Answer(tuple(_parts(model, each, question.defaults) for each in question.settings))
    finally:
        L.llama_model_free(model)


def _parts(model: Any, settings: LoadSettings, defaults: bool) -> Parts | None:
    from tui.llama.binding import L
    from tui.llama.breakdown import memory_breakdown
    from tui.llama.params import context_params

    params = context_params(settings, threads=1)
    if defaults:
        params.n_outputs_max, params.kv_unified = 0, False
    context = L.llama_init_from_model(model, params)
    if not context:
        return None
    rows = memory_breakdown(context) or ()
    L.llama_free(context)
    return Parts(
        sum(row.weights_bytes for row in rows),
        sum(row.context_bytes for row in rows),
        sum(row.compute_bytes for row in rows),
    )


if __name__ == "__main__":
    main()
