"""A front end's handle on an engine process. Never imports llama_cpp; everything here runs in one asyncio loop.

The process may die at any moment: whoever waits for it then gets EngineDied, and a new engine can be started at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tui.config.paths import paths
from tui.engine import requests
from tui.engine.errors import OTHER_PROJECTOR, EngineDied, EngineError
from tui.engine.protocol import (
    Cancel,
    ChatMessage,
    CountTokens,
    Event,
    Failed,
    Load,
    Loaded,
    LoadProgress,
    Log,
    Quit,
    RestoreState,
    SaveState,
    StateRestored,
    StateSaved,
    TokenCount,
    Work,
)
from tui.engine.stream import Generation
from tui.engine.waiting import Answer, Waiting
from tui.hardware.cpu import default_threads
from tui.llama.receipt import Receipt
from tui.llama.settings import LoadSettings, SamplingSettings
from tui.process.channel import ChannelError
from tui.process.spawn import Child, spawn

__all__ = ["Engine", "EngineDied", "EngineError", "Generation"]

_QUIT_S = 5.0
_LOG_TAIL = 40
_CROWDED = "close other programs, or raise the limits on processes and open files"


class Engine:
    """One loaded model in a process of its own. Start it with `Engine.start`, end it with `close`."""

    def __init__(self, child: Child, path: Path, settings: LoadSettings, name: str) -> None:
        """Use `start`."""
        self._child = child
        self.path, self.settings, self.name = path, settings, name
        self.receipt: Receipt
        self.thinking_switch = False
        """Whether the chat template can switch thinking on and off."""
        self.logged: list[Log] = []
        """Warnings of the engine, oldest first."""
        self._waiting = Waiting()
        self._next_id = 1
        self._on_progress: Callable[[float], None] | None = None
        self._projector = ""
        """Name of the projector's file, from when it is loaded on."""
        self._load: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._death_callbacks: list[Callable[[EngineDied], None]] = []
        self._closing = False
        self.died: EngineDied | None = None
        """Set when the process ended without being asked to."""
        self._reader = asyncio.create_task(self._read(), name=f"engine {child.pid}")

    @classmethod
    async def start(
        cls,
        path: Path,
        settings: LoadSettings,
        *,
        name: str,
        on_progress: Callable[[float], None] | None = None,
        nice: int = 10,
        reserve_threads: int = 0,
        engines_dir: Path | None = None,
    ) -> Self:
        """Start a host and load `path`; returns when the model is ready.

        `name` is what a person calls the model. `on_progress` gets the share of the file read. `reserve_threads`
        cores are left to others when `settings.threads` is auto. Raises EngineError, or EngineDied when the process
        ended; cancelling the awaiting task ends the process. Call it from the main thread.
        """
        threads = default_threads(reserve_threads) if isinstance(settings.threads, str) else settings.threads
        folder = engines_dir if engines_dir is not None else paths().engines_dir
        arguments = ["--nice", str(nice), "--threads", str(threads), "--engines-dir", str(folder)]
        try:
            load = requests.load(path, settings, name)
            child = await spawn("tui.engine.host", arguments, incoming=Event)
        except OSError as error:
            raise EngineError("load", f"no engine process could be started: {error}", _CROWDED) from error
        engine = cls(child, path, settings, name)
        engine._on_progress = on_progress
        try:
            engine.receipt = await engine._begin(load)
        except BaseException:
            engine._closing = True
            child.kill()
            await asyncio.shield(engine._reader)
            raise
        return engine

    async def _begin(self, load: Load) -> Receipt:
        try:
            self._child.channel.send(load)
        except ChannelError as error:
            raise EngineError(
                "settings", f"these settings cannot be used: {error}", "check the paths in them"
            ) from error
        return await self._load

    @property
    def pid(self) -> int:
        """The host's process id."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """False once the process has ended."""
        return self.died is None and not self._reader.done()

    def on_death(self, callback: Callable[[EngineDied], None]) -> None:
        """Call `callback` in the loop when the process ends without being asked to, or soon when it has already."""
        if self.died is not None:
            asyncio.get_running_loop().call_soon(callback, self.died)
        else:
            self._death_callbacks.append(callback)

    def generate(
        self,
        *,
        messages: Sequence[ChatMessage] | None = None,
        prompt: str | None = None,
        sampling: SamplingSettings,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        pane: int = 0,
        ignore_end: bool = False,
        answer: str = "",
        thinking: str = "",
        think: bool | None = None,
    ) -> Generation:
        """Answer `messages` through the chat template, or continue `prompt` as it is. Iterate over the result.

        `answer` and `thinking` are what there is of the answer already; only what follows is told. `think` switches
        thinking on or off where the template can.
        """
        request = requests.generate(
            self._new_id(),
            messages,
            prompt,
            sampling=sampling,
            max_tokens=max_tokens,
            stop=stop,
            pane=pane,
            ignore_end=ignore_end,
            answer=answer,
            thinking=thinking,
            think=think,
        )
        generation = Generation(
            request.id, cancel=lambda: self._cancel(request.id), forget=lambda: self._waiting.forget(request.id)
        )
        try:
            self._send(request)
        except EngineError as error:
            generation.put(error)
        else:
            self._waiting.stream(generation)
        return generation

    async def count_tokens(self, *, messages: Sequence[ChatMessage] | None = None, text: str | None = None) -> int:
        """Tokens of a prompt made of `messages`, or of `text` as it is. Waits for one step of what is computed."""
        answer = await self._ask(requests.count_tokens(self._new_id(), messages, text))
        assert isinstance(answer, TokenCount)
        return answer.tokens

    async def save_state(self, folder: Path, name: str, *, pane: int = 0) -> int:
        """Keep what a pane holds in `folder` as `name`; its bytes, 0 when it holds nothing. Raises EngineError (kind
        state) when it cannot be kept.
        """
        answer = await self._ask(SaveState(id=self._new_id(), folder=os.fsencode(folder), name=name, pane=pane))
        assert isinstance(answer, StateSaved)
        return answer.n_bytes

    async def restore_state(self, folder: Path, name: str, *, pane: int = 0) -> int:
        """Have a pane hold what was kept in `folder` as `name` by an engine with the same model and cache settings.

        The tokens that it holds then, 0 when there is nothing of use. Raises EngineError (kind state) for a file that
        cannot be used.
        """
        answer = await self._ask(RestoreState(id=self._new_id(), folder=os.fsencode(folder), name=name, pane=pane))
        assert isinstance(answer, StateRestored)
        return answer.tokens

    async def _ask(self, request: CountTokens | SaveState | RestoreState) -> Answer:
        self._send(request)
        return await self._waiting.answer(request.id)

    async def close(self) -> None:
        """End the process; its memory is back when this returns. Safe to call twice."""
        self._closing = True
        with contextlib.suppress(EngineError):
            self._send(Quit())
        try:
            await asyncio.wait_for(asyncio.shield(self._reader), _QUIT_S)
        except TimeoutError:
            self._child.kill()
            await self._reader

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _send(self, request: Work | Cancel | Quit) -> None:
        """Raises EngineError when there is no engine to send to, or the request cannot travel."""
        if not self.alive:
            raise self._dead()
        try:
            self._child.channel.send(request)
        except ConnectionError:
            pass  # the reader is about to find out, and tells whoever waits
        except ChannelError as error:
            raise EngineError("input", f"this cannot be sent to the engine: {error}", "shorten it") from error

    def _cancel(self, request_id: int) -> None:
        with contextlib.suppress(EngineError):
            self._send(Cancel(request_id))

    def _dead(self) -> EngineError:
        return self.died or EngineError("died", "the model was unloaded", "load it again")

    async def _read(self) -> None:
        garbled = ""
        try:
            while (event := await self._child.channel.receive()) is not None:
                self._take(event)
        except (ChannelError, ValueError) as fault:  # msgspec's errors are ValueErrors
            garbled = f"what it sent cannot be understood ({fault}), so it was ended"
            self._child.kill()
        returncode = await self._child.ended()
        if not self._closing:
            log = (*[line.text for line in self.logged], *self._child.stderr)[-_LOG_TAIL:]
            blamed = self._projector and (self._waiting.looking or not self._load.done())
            hint = OTHER_PROJECTOR if blamed else ""
            self.died = EngineDied(self._doing(), returncode, garbled or self._child.why(returncode), log, hint)
        error = self._dead()
        if not self._load.done():
            self._load.set_exception(error)
        self._waiting.fail(error)
        if self.died is not None:
            for callback in self._death_callbacks:
                asyncio.get_running_loop().call_soon(callback, self.died)  # a fault in one must not stop the others

    def _doing(self) -> str:
        if not self._load.done():
            return f"loading the projector {self._projector}" if self._projector else "loading the model"
        if self._waiting.looking:
            return f"looking at an image with {self._projector}"
        if self._waiting.writing:
            return "writing the answer"
        return "reading your prompt" if self._waiting else "waiting"

    def _take(self, event: Event) -> None:
        if isinstance(event, LoadProgress):
            self._projector = event.projector
            self._tell_progress(event.fraction)
        elif isinstance(event, Loaded):
            if not self._load.done():
                self.thinking_switch = event.thinking_switch
                self._load.set_result(event.receipt)
        elif isinstance(event, Log):
            self.logged.append(event)
        elif isinstance(event, Failed) and event.id == 0:
            if not self._load.done():
                self._load.set_exception(EngineError.of(event))
        else:
            self._waiting.tell(event)

    def _tell_progress(self, fraction: float) -> None:
        try:
            if self._on_progress is not None:
                self._on_progress(fraction)
        except Exception as error:  # the caller's own; it comes out of the caller's `start`
            if not self._load.done():
                self._load.set_exception(error)
