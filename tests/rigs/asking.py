"""Short ways for tests to start an engine, to ask it something and to keep all that it answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tui.engine.client import Engine, Generation
from tui.engine.protocol import ChatMessage, Delta, Done, PromptProgress
from tui.llama.settings import LoadSettings, SamplingSettings

GREEDY = SamplingSettings(temperature=0)


@dataclass
class Answer:
    """All events of one generation."""

    progress: list[PromptProgress] = field(default_factory=list)
    deltas: list[Delta] = field(default_factory=list)
    ends: list[Done] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(delta.text for delta in self.deltas if delta.channel == "answer")

    @property
    def thinking(self) -> str:
        return "".join(delta.text for delta in self.deltas if delta.channel == "thinking")

    @property
    def done(self) -> Done:
        (end,) = self.ends
        return end

    def take(self, event: PromptProgress | Delta | Done) -> None:
        """Keep one event; none may follow the last."""
        assert not self.ends, event
        if isinstance(event, PromptProgress):
            assert not self.deltas, "the prompt is read before anything is answered"
            self.progress.append(event)
        elif isinstance(event, Delta):
            self.deltas.append(event)
        else:
            self.ends.append(event)


async def collect(generation: Generation) -> Answer:
    """Wait for the end of an answer."""
    answer = Answer()
    async for event in generation:
        answer.take(event)
    assert len(answer.ends) == 1
    return answer


async def ask(engine: Engine, what: str | list[ChatMessage], **options: Any) -> Answer:
    """Continue a text, or answer messages, greedily unless `sampling` says otherwise."""
    options.setdefault("sampling", GREEDY)
    if isinstance(what, str):
        return await collect(engine.generate(prompt=what, **options))
    return await collect(engine.generate(messages=what, **options))


def user(text: str) -> ChatMessage:
    return ChatMessage("user", text)


def assistant(text: str) -> ChatMessage:
    return ChatMessage("assistant", text)


async def start(path: Path, engines_dir: Path, **settings: Any) -> Engine:
    """An engine on the CPU with a small context."""
    settings = {"n_ctx": 512, "n_gpu_layers": 0, "threads": 1, **settings}
    return await Engine.start(path, LoadSettings(**settings), name=path.stem, nice=0, engines_dir=engines_dir)


@asynccontextmanager
async def running(path: Path, engines_dir: Path, **settings: Any) -> AsyncIterator[Engine]:
    """The same, closed at the end."""
    engine = await start(path, engines_dir, **settings)
    try:
        yield engine
    finally:
        await engine.close()
