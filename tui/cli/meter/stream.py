"""The monitor into a pipe or a file: a document, a line or a block of plain lines a tick, each written at once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from tui.cli.meter.look import Look
from tui.cli.meter.paint import paint
from tui.cli.meter.wake import Wake
from tui.config.plain import escaped
from tui.hardware.meter.frame import Scene, frame
from tui.hardware.meter.marks import Marks
from tui.hardware.meter.oneline import one_line
from tui.hardware.snapshot import Snapshot, to_json
from tui.hardware.watch import FIRST_S

if TYPE_CHECKING:
    from tui.engine.registry import RunningEngine

Render: TypeAlias = "Callable[[Snapshot, Sequence[RunningEngine]], str]"
"""One tick as text, its last newline included."""


def run_as_stream(
    wake: Wake, output: int, look: Look, interval: float | None, render: Render, encoding: str = "utf-8"
) -> int:
    """Write a tick every `interval` seconds until nobody reads, or one tick for None; the exit code.

    The first tick waits for the GPUs: what is written cannot be corrected. Raises Ended on a signal, and OSError when
    the reader is gone.
    """
    patience_s: float | None = FIRST_S
    due = time.monotonic()
    while True:
        with wake.breakable():
            seen = look(patience_s)
        wake.write(output, render(*seen).encode(encoding, "replace"))
        patience_s = None
        if interval is None:
            return 0
        due = max(due + interval, time.monotonic())
        while (left := due - time.monotonic()) > 0:
            if wake.wait(left).gone:
                return 0


def as_json(snapshot: Snapshot, engines: Sequence[RunningEngine]) -> str:
    """The contract's document on a line of its own."""
    document = to_json(snapshot, [_engine(engine) for engine in engines])
    return escaped(json.dumps(document, ensure_ascii=False)) + "\n"


def _engine(engine: RunningEngine) -> dict[str, Any]:
    speed = engine.decode_tok_s
    return {
        "pid": engine.pid,
        "model": engine.model,
        "n_ctx": engine.n_ctx,
        "n_ctx_used": engine.n_ctx_used,
        "decode_tok_s": speed if speed is not None and abs(speed) < 1e300 else None,  # JSON has no NaN
    }


def as_line(marks: Marks, width: int | None) -> Render:
    """For a status bar."""
    return lambda snapshot, engines: one_line(snapshot, engines, marks, width) + "\n"


def as_block(marks: Marks, colours: Mapping[str, str], width: int, *, spaced: bool) -> Render:
    """The whole picture as lines. `spaced`: others follow, so an empty line ends each, and none stands within."""

    def render(snapshot: Snapshot, engines: Sequence[RunningEngine]) -> str:
        lines = frame(Scene(snapshot, engines), width, None, marks)
        shown = [paint(line, colours) for line in lines if line or not spaced]
        return "\n".join([*shown, *([""] if spaced else []), ""])

    return render
