"""A small engine that answers by a script: it yields, waits and fails where it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from tui.chat.events import SessionEvent
from tui.chat.turn import TurnOptions
from tui.engine.protocol import ChatMessage, Delta, Done, DoneReason, PromptProgress, Timings
from tui.llama.settings import SamplingSettings

GREEDY = SamplingSettings(temperature=0.0)
TIMINGS = Timings(prompt_tokens=12, prefilled_tokens=12, completion_tokens=3, ttft_s=0.25, decode_tok_s=40.0, n_ctx=512)


class Gate(asyncio.Event):
    """A place in a script where the engine waits until the test opens it, or the answer is cancelled."""


Step = str | tuple[str, str] | Gate | Exception | PromptProgress
"""A text (of the answer), (channel, text), a wait, a failure, or progress."""


@dataclass
class Asked:
    """What the engine was asked."""

    messages: tuple[ChatMessage, ...]
    sampling: SamplingSettings
    options: TurnOptions
    answer: str = ""
    thinking: str = ""


@dataclass
class ScriptedEngine:
    """Answers each request with the next script; ends it with `reason`."""

    scripts: list[Sequence[Step]]
    reason: DoneReason | None = "eog"
    """None is an engine that ends without a word."""
    name: str = "scripted"
    asked: list[Asked] = field(default_factory=list)

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
    ) -> ScriptedGeneration:
        self.asked.append(Asked(messages, sampling, TurnOptions(max_tokens, stop, pane, think), answer, thinking))
        return ScriptedGeneration(self.scripts.pop(0), self.reason)


class ScriptedGeneration:
    """One answer by script."""

    def __init__(self, script: Sequence[Step], reason: DoneReason | None) -> None:
        self._script, self._reason = script, reason
        self.cancelled = asyncio.Event()

    def cancel(self) -> None:
        self.cancelled.set()

    async def __aiter__(self) -> AsyncIterator[PromptProgress | Delta | Done]:
        for step in self._script:
            if isinstance(step, Gate):
                await self._pass(step)
            if self.cancelled.is_set():
                yield Done(1, "cancelled", TIMINGS)
                return
            if isinstance(step, Exception):
                raise step
            if isinstance(step, PromptProgress):
                yield step
            elif isinstance(step, tuple):
                yield Delta(1, step[1], "thinking" if step[0] == "thinking" else "answer")
            elif isinstance(step, str):
                yield Delta(1, step)
        if self._reason is not None:
            yield Done(1, self._reason, TIMINGS)

    async def _pass(self, gate: Gate) -> None:
        waits = [asyncio.ensure_future(gate.wait()), asyncio.ensure_future(self.cancelled.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


class Ears(list[SessionEvent]):
    """A listener that can be waited on."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def __call__(self, event: SessionEvent) -> None:
        self.append(event)
        self._more.set()

    async def until(self, kind: type[SessionEvent]) -> None:
        while not any(isinstance(event, kind) for event in self):
            self._more.clear()
            await self._more.wait()

    def count(self, kind: object) -> int:
        return sum(type(event) is kind for event in self)
