"""The engine of a pane, or of two: load, unload, and what is told of it. Runs in the asyncio loop; never touches a
widget.

What happens is posted as messages, which the app's handlers act on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.app.expected import Expected, RunningEngine
from tui.engine.errors import EngineDied, EngineError
from tui.llama.receipt import Receipt
from tui.llama.settings import LoadSettings, SettingsError

if TYPE_CHECKING:
    from tui.library import Model
    from tui.models.prepare import Prepared

Start = Callable[[Path, LoadSettings, str, Callable[[float], None]], Awaitable[RunningEngine]]
"""Starts an engine: file, resolved settings, name, progress."""
Prepare = Callable[["Engines", "Model", LoadSettings | None, bool], Awaitable["Prepared"]]
"""Plans a load of these engines: what is kept where nothing is wished, numbers in place of "auto". Raises
SettingsError, and NoRoom unless it is to be loaded anyway."""


class NoRoom(EngineError):
    """It would not fit, and nobody said that it is to be loaded all the same. Nothing was begun."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("load", message, hint)


@dataclass
class EngineNews(Message):
    """Something that has happened to a model."""

    engines: Engines
    """Where."""
    model: Model


@dataclass
class LoadBegun(EngineNews):
    """A model is being read into memory."""


@dataclass
class LoadProgressed(EngineNews):
    """How far that has come, 0 to 1."""

    fraction: float


@dataclass
class EngineReady(EngineNews):
    """The model waits for words."""

    engine: RunningEngine
    prepared: Prepared
    """The plan that it was loaded by."""


@dataclass
class LoadFailed(EngineNews):
    """The model could not be loaded; a cancelled load included."""

    wished: LoadSettings | None
    error: EngineError


@dataclass
class EngineGone(EngineNews):
    """The engine process ended without being asked to."""

    wished: LoadSettings
    receipt: Receipt
    error: EngineDied


@dataclass
class Unloaded(EngineNews):
    """The model is out of memory."""


class Engines:
    """At most one engine. `spawn` runs a coroutine function as the app's worker of the group "engine", ending the one
    before; what takes memory outlives that worker and is waited for by the next. `after_start` is awaited
    before anything is asked of a new engine, `before_end` before one is ended that runs.
    """

    def __init__(
        self,
        *,
        start: Start,
        prepare: Prepare,
        after_start: Callable[[Engines, RunningEngine], Awaitable[None]],
        before_end: Callable[[Engines, RunningEngine], Awaitable[None]],
        post: Callable[[Message], object],
        spawn: Callable[[Callable[[], Coroutine[Any, Any, None]], str], object],
        turn: asyncio.Lock | None = None,
    ) -> None:
        """`turn` is held while memory is looked at and taken: of several that share it one loads at a time, and the
        next sees what that has left."""
        self._start, self._prepare, self._post, self._spawn = start, prepare, post, spawn
        self._after_start, self._before_end = after_start, before_end
        self._turn = turn or asyncio.Lock()
        self.engine: RunningEngine | None = None
        self.model: Model | None = None
        """The model that is loaded, or being loaded."""
        self.wished: LoadSettings | None = None
        """What it was loaded with, "auto" still in it."""
        self.loading = False
        self._arrival: asyncio.Future[RunningEngine] | None = None
        self._starting: asyncio.Future[RunningEngine] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """True when a model waits for words."""
        return self.engine is not None and self.engine.alive and not self.loading

    def load(self, model: Model, wished: LoadSettings | None = None, *, anyway: bool = False) -> None:
        """Load `model`, without `wished` as kept for it; what is loaded or being loaded makes room first. What does not
        fit is loaded `anyway` only.
        """
        self._give_up(EngineError("cancelled", "another model was loaded instead"))
        self._dismiss()
        self.model, self.wished, self.loading = model, wished, True
        self._arrival = asyncio.get_running_loop().create_future()
        self._arrival.add_done_callback(_seen)
        self._post(LoadBegun(self, model))
        self._spawn(partial(self._load, model, wished, anyway, self._arrival), f"load {model.name}")

    def cancel_load(self) -> None:
        """Stop a load; nothing is in memory then."""
        if self.loading and self.model is not None:
            error = EngineError("cancelled", "the load was stopped", "load it again when you like")
            model, wished = self.model, self.wished
            self._give_up(error)
            self._dismiss()
            self.model, self.loading = None, False
            self._spawn(self._gone, "stop loading")
            self._post(LoadFailed(self, model, wished, error))

    def unload(self) -> None:
        """Take the model out of memory."""
        if self.model is not None and not self.loading:
            self._dismiss()
            self._spawn(partial(self._unload, self.model), f"unload {self.model.name}")

    async def close(self) -> None:
        """End the engine, one that is being started or ended included; all memory is back when this returns."""
        self._give_up(EngineError("cancelled", "puna is ending"))
        self._dismiss()
        await self._gone()

    async def leave(self) -> None:
        """Take the model out of memory, and wait until it is."""
        if self.model is not None and not self.loading:
            model = self.model
            self._dismiss()
            await self._unload(model)

    def expected(self, name: str = "") -> Expected:
        """What a turn talks to: the engine that is here, or is on its way; `name` is what it is called there."""
        assert self.model is not None
        return Expected(name or self.model.name, self.engine, self._arrival)

    # ---- inside

    async def _load(
        self, model: Model, wished: LoadSettings | None, anyway: bool, arrival: asyncio.Future[RunningEngine]
    ) -> None:
        try:
            async with self._turn:
                await self._gone()
                prepared = await self._prepare(self, model, wished, anyway)
                if self._arrival is not arrival:
                    return  # nobody wants it any more
                self.wished = prepared.wished
                engine = await self._begin(self._started(model, prepared.settings))
        except EngineError as error:
            self._failed(model, wished, arrival, error)
        except SettingsError as problem:
            self._failed(model, wished, arrival, EngineError("settings", str(problem), "change it in the load panel"))
        except Exception as problem:  # whatever it is, the panel must not say "loading" for ever
            self._failed(model, wished, arrival, EngineError("load", str(problem) or type(problem).__name__))
        else:
            if self._arrival is arrival:
                self._arrived(model, prepared, engine, arrival)

    async def _started(self, model: Model, settings: LoadSettings) -> RunningEngine:
        engine = await self._start(model.path, settings, model.name, self._progress(model))
        try:
            await self._after_start(self, engine)
        except BaseException:
            await engine.close()
            raise
        return engine

    def _arrived(
        self, model: Model, prepared: Prepared, engine: RunningEngine, arrival: asyncio.Future[RunningEngine]
    ) -> None:
        self.engine, self.loading = engine, False
        engine.on_death(partial(self._died, model, prepared.wished, engine))
        arrival.set_result(engine)
        self._post(EngineReady(self, model, engine, prepared))

    def _progress(self, model: Model) -> Callable[[float], None]:
        """A callback that posts whole percents only."""
        last = -1

        def told(fraction: float) -> None:
            nonlocal last
            percent = int(fraction * 100)
            if percent != last:
                last = percent
                self._post(LoadProgressed(self, model, fraction))

        return told

    def _failed(
        self, model: Model, wished: LoadSettings | None, arrival: asyncio.Future[RunningEngine], error: EngineError
    ) -> None:
        if not arrival.done():
            arrival.set_exception(error)
        if self._arrival is arrival:
            self.model, self.loading = None, False
            self._post(LoadFailed(self, model, wished, error))

    def _died(self, model: Model, wished: LoadSettings, engine: RunningEngine, error: EngineDied) -> None:
        if self.engine is engine:
            self.engine = self.model = None
            self._post(EngineGone(self, model, wished, engine.receipt, error))

    async def _unload(self, model: Model) -> None:
        await self._gone()
        if self.model is model and not self.loading:
            self.model = None
            self._post(Unloaded(self, model))

    async def _begin(self, start: Awaitable[RunningEngine]) -> RunningEngine:
        """Start an engine. Cancelling this leaves the start alone: `_dismiss` ends it."""
        self._starting = starting = asyncio.ensure_future(start)
        starting.add_done_callback(_seen)
        try:
            return await asyncio.shield(starting)
        finally:
            if self._starting is starting and starting.done():
                self._starting = None

    def _dismiss(self) -> None:
        """Have whatever is in memory, or on its way there, leave it; `_gone` waits until it has."""
        engine, self.engine = self.engine, None
        starting, self._starting = self._starting, None
        for end in ([self._end_engine(engine)] if engine else []) + ([_end(starting)] if starting else []):
            leaving = asyncio.ensure_future(end)
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    async def _end_engine(self, engine: RunningEngine) -> None:
        try:
            await self._before_end(self, engine)
        finally:
            await engine.close()

    async def _gone(self) -> None:
        """Wait until what was dismissed has given its memory back. Cancelling this stops no end."""
        while self._leaving:
            await asyncio.wait(tuple(self._leaving))

    def _give_up(self, error: EngineError) -> None:
        arrival, self._arrival = self._arrival, None
        if arrival is not None and not arrival.done():
            arrival.set_exception(error)


async def _end(starting: asyncio.Future[RunningEngine]) -> None:
    """Stop a start, and end the engine if it has come all the same."""
    starting.cancel()
    await asyncio.wait((starting,))
    if not starting.cancelled() and starting.exception() is None:
        await starting.result().close()


def _seen(arrival: asyncio.Future[RunningEngine]) -> None:
    """A load that nobody waited for may fail without asyncio complaining."""
    if not arrival.cancelled():
        arrival.exception()
