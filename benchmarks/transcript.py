"""What does a token cost in the transcript, and does it cost more in a long one? CPU time, without a terminal.

An answer of 100 000 tokens, of every kind of block and with one fence of 5 000 lines, streams at four tokens a flush;
each flush is followed by the repaint that it asked for. Then a history of 2 000 messages is opened and read backwards.
Goal: cost per token flat (the last tenth at most 1.3 times the second).
"""

from __future__ import annotations

import asyncio
import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from textual.app import App, ComposeResult

from benchmarks.report import tell
from tui.app.panels.chat.transcript import Transcript, TranscriptMessage, warm_up

TOKENS, TOKENS_A_FLUSH, FENCE_LINES, MESSAGES = 100_000, 4, 5_000, 2_000
SIZE = (100, 45)
FLAT = 1.3
_SYLLABLES = ("ka", "to", "mi", "ne", "ru", "so", "va", "li", "pe", "du", "gra", "bel", "ton", "mer", "fin", "hal")


class Bench(App[None]):
    """Nothing but a transcript."""

    def compose(self) -> ComposeResult:
        """The transcript."""
        yield Transcript()


def main() -> None:
    """Measure and tell."""
    warm_up()
    asyncio.run(_measure())


async def _measure() -> None:
    app = Bench()
    async with app.run_test(size=SIZE):
        transcript = app.query_one(Transcript)
        rows = _stream(app, transcript)
        history = _history(app, transcript)
    ratio = rows[9]["token_us"] / rows[1]["token_us"]
    verdict = {
        "token_us_first": rows[0]["token_us"],
        "token_us_middle": rows[5]["token_us"],
        "token_us_last": rows[9]["token_us"],
        "flush_p50_ms": round(statistics.median([row["flush_p50_ms"] for row in rows]), 3),
        "flush_p99_ms": max(row["flush_p99_ms"] for row in rows),
        **history,
        "last_to_second": round(ratio, 2),
        "goal_last_to_second": FLAT,
        "reached": ratio <= FLAT,
    }
    tell("transcript", rows, verdict)


def _stream(app: App[None], transcript: Transcript) -> list[dict[str, Any]]:
    """Stream the answer; what flushing and painting took, by tenths of its tokens."""
    transcript.begin_answer("answer", "model")
    tokens = list(_answer(random.Random(7)))
    gc.collect()
    gc.freeze()
    flushes: list[tuple[float, float]] = []
    for start in range(0, len(tokens), TOKENS_A_FLUSH):
        transcript.append("".join(tokens[start : start + TOKENS_A_FLUSH]))
        flushes.append((_timed(transcript.flush), _timed(lambda: _paint(app, transcript))))
    transcript.end_answer()
    tenth = len(flushes) // 10
    rows = []
    for index in range(10):
        part = flushes[index * tenth : (index + 1) * tenth]
        spent = sum(flush + paint for flush, paint in part)
        row = {"tokens": (index + 1) * tenth * TOKENS_A_FLUSH, "token_us": spent / tenth / TOKENS_A_FLUSH * 1e6}
        for name, values in (("flush", [flush for flush, _ in part]), ("paint", [paint for _, paint in part])):
            ordered = sorted(values)
            row[f"{name}_p50_ms"] = ordered[len(ordered) // 2] * 1e3
            row[f"{name}_p99_ms"] = ordered[len(ordered) * 99 // 100] * 1e3
        rows.append({key: round(value, 3) for key, value in row.items()})
    return rows


def _history(app: App[None], transcript: Transcript) -> dict[str, float]:
    """Open a long history and page up through it."""
    source = random.Random(11)
    texts = ["".join(_blocks(source, 200)) for _ in range(50)]
    messages = [
        TranscriptMessage(f"m{number}", "assistant" if number % 2 else "user", texts[source.randrange(50)])
        for number in range(MESSAGES)
    ]
    gc.collect()
    gc.freeze()  # what this benchmark holds is no work for the collector of the transcript
    opened = _timed(lambda: transcript.set_messages(messages)) + _timed(lambda: _paint(app, transcript))
    pages = []
    for _ in range(300):
        pages.append(_timed(transcript.action_page_up) + _timed(lambda: _paint(app, transcript)))
        transcript.flush()  # what is done between two keys
    pages.sort()
    return {
        "open_ms": round(opened * 1e3, 1),
        "page_p50_ms": round(pages[len(pages) // 2] * 1e3, 2),
        "page_p99_ms": round(pages[len(pages) * 99 // 100] * 1e3, 2),
    }


def _paint(app: App[None], transcript: Transcript) -> None:
    """What the screen does on its next frame: compose the dirty regions and make the bytes for the terminal."""
    compositor = app.screen._compositor
    compositor.update_widgets({transcript, transcript.vertical_scrollbar})
    update: Any = compositor.render_update(screen_stack=app._background_screens)
    if update is not None:
        update.render_segments(app.console)


def _timed(action: Callable[[], object]) -> float:
    """Seconds of CPU that this thread spends on it: other programs do not count."""
    begun = time.thread_time()
    action()
    return time.thread_time() - begun


# ---- an answer that never repeats itself ----------------------------------------------------------------------------


def _answer(source: random.Random) -> Iterator[str]:
    """Tokens of the whole answer; the long fence stands in its middle."""
    yield from _blocks(source, TOKENS * 2 // 5)
    fence = list(_fence(source, FENCE_LINES))
    yield from fence
    yield from _blocks(source, max(0, TOKENS - TOKENS * 2 // 5 - len(fence)))


def _blocks(source: random.Random, count: int) -> Iterator[str]:
    """At least `count` tokens in blocks of every kind."""
    kinds: list[Callable[[random.Random], Iterator[str]]] = [
        _paragraph, _paragraph, _paragraph, _heading, _list, _numbers, _table, _quote, _short_fence,
    ]  # fmt: skip
    while count > 0:
        for token in source.choice(kinds)(source):
            yield token
            count -= 1
        yield "\n\n"


def _word(source: random.Random) -> str:
    word = "".join(source.choice(_SYLLABLES) for _ in range(source.randrange(1, 4)))
    mark = source.random()
    if mark < 0.03:
        return f" **{word}**"
    if mark < 0.06:
        return f" `{word}`"
    return f" *{word}*" if mark < 0.08 else f" {word}"


def _words(source: random.Random, count: int) -> Iterator[str]:
    for _ in range(count):
        yield _word(source)


def _paragraph(source: random.Random) -> Iterator[str]:
    yield from _words(source, source.randrange(20, 120))


def _heading(source: random.Random) -> Iterator[str]:
    yield "## "
    yield from _words(source, 4)


def _list(source: random.Random) -> Iterator[str]:
    for _ in range(source.randrange(3, 9)):
        yield source.choice(["- ", "- ", "  - "])
        yield from _words(source, source.randrange(3, 25))
        yield "\n"


def _numbers(source: random.Random) -> Iterator[str]:
    for number in range(1, source.randrange(3, 8)):
        yield f"{number}. "
        yield from _words(source, source.randrange(5, 30))
        yield "\n\n" if source.random() < 0.3 else "\n"


def _table(source: random.Random) -> Iterator[str]:
    yield "| name | size | note |\n|---|--:|---|\n"
    for _ in range(source.randrange(2, 10)):
        yield f"|{_word(source)} | {source.randrange(10**6)} |"
        yield from _words(source, source.randrange(1, 20))
        yield " |\n"


def _quote(source: random.Random) -> Iterator[str]:
    yield ">"
    yield from _words(source, source.randrange(10, 40))


def _short_fence(source: random.Random) -> Iterator[str]:
    yield from _fence(source, source.randrange(4, 40))


def _fence(source: random.Random, lines: int) -> Iterator[str]:
    yield "```python\n"
    for number in range(lines):
        yield " " * 4 * source.randrange(3)
        yield f"{source.choice(_SYLLABLES)}_{number} ="
        yield f" {source.choice(_SYLLABLES)}("
        yield f'"{source.choice(_SYLLABLES)}", {number})\n'
    yield "```\n"


if __name__ == "__main__":
    main()
