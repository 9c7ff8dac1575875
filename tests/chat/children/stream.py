"""Streams an endless answer into a history and prints, for each piece, when it came and how long the text is by then.

Usage: stream HISTORY. Prints `answer <id>` first, then `<seconds> <characters>` for each piece.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tui.chat.events import AnswerBegun, SessionEvent
from tui.chat.session import ChatSession
from tui.chat.thread import AsyncStore
from tui.engine.protocol import ChatMessage, Delta, Done, PromptProgress
from tui.llama.settings import SamplingSettings


class Endless:
    """Counts, a piece every few milliseconds, until it is killed."""

    name = "endless"

    def generate(
        self,
        *,
        messages: tuple[ChatMessage, ...],
        sampling: SamplingSettings,
        max_tokens: int | None = None,
        stop: tuple[str, ...] = (),
        pane: int = 0,
        answer: str = "",
        thinking: str = "",
        think: bool | None = None,
    ) -> Endless:
        return self

    def cancel(self) -> None:
        pass

    async def __aiter__(self) -> AsyncIterator[PromptProgress | Delta | Done]:
        number = 0
        while True:
            yield Delta(1, f"{number} ", "thinking" if number < 20 else "answer")
            number += 1
            await asyncio.sleep(0.004)


async def main(history: Path) -> None:
    length = 0

    def heard(event: SessionEvent) -> None:
        nonlocal length
        if isinstance(event, AnswerBegun):
            print("answer", event.message.id)
        elif isinstance(event, Delta):
            length += len(event.text)
            print(time.monotonic(), length)

    session = ChatSession(await AsyncStore.open(history), on_event=heard)
    await session.send("Count for ever", Endless(), SamplingSettings())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
