"""The places of engines: made when they are needed, and what engines need there: a plan, a start, a word before the
end.

There is one for each pane that does not share another's; a model is planned for with what the others have left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from textual.message import Message

from tui.app.keys import show_key
from tui.app.text import clean, size
from tui.hardware.cpu import default_threads

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.engines import Engines, Start
    from tui.app.expected import RunningEngine
    from tui.app.pane import Pane, Place
    from tui.library import Model
    from tui.llama.settings import LoadSettings
    from tui.models.prepare import Prepared

RESERVED_THREADS = 1
"""Cores that an engine leaves to the screen."""


class Places:
    """Makes them. `start` may replace real engines."""

    def __init__(self, desk: Desk, start: Start | None) -> None:
        self._desk, self._start = desk, start
        self._all: list[Place] = []
        self._turn = asyncio.Lock()

    def __iter__(self) -> Iterator[Place]:
        return iter(self._all)

    def at(self, engines: Engines) -> Place:
        """The place where these engines are."""
        return next(place for place in self._all if place.engines is engines)

    def of(self, pane: Pane) -> Place:
        """The place of a pane's engine, made where there is none yet."""
        if pane.place is None:
            pane.place = self.free()
        return pane.place

    def free(self) -> Place:
        """A place that no pane has."""
        taken = [pane.place for pane in self._desk.panes]
        free = next((place for place in self._all if place not in taken), None)
        if free is None:
            from tui.app.engines import Engines
            from tui.app.pane import Place

            group = f"engine{len(self._all) or ''}"
            engines = Engines(
                start=self._start or self._start_real, prepare=self._prepare, after_start=self._greet,
                before_end=self._leave, post=self._post, spawn=partial(self._spawn, group), turn=self._turn,
            )  # fmt: skip
            free = Place(engines)
            self._all.append(free)
        return free

    # ---- what the engines need

    async def _prepare(self, engines: Engines, model: Model, wished: LoadSettings | None, anyway: bool) -> Prepared:
        from tui.app.engines import NoRoom
        from tui.models.prepare import prepare, wished_for

        settings, paths, panes = self._desk.settings, self._desk.paths, self._desk.panes
        assert settings is not None
        await self._desk.fit.trial_over()
        if wished is None:
            wished = await asyncio.to_thread(wished_for, paths, model, settings)
        place = self.at(engines)
        wished = msgspec.structs.replace(wished, panes=place.sequences)
        await panes.make_room(engines)
        prepared = await prepare(self._desk.fit.fitting, paths, model, wished, settings)
        if _no_room(prepared) and not anyway and await panes.take_turns(engines, model, wished):
            prepared = await prepare(self._desk.fit.fitting, paths, model, wished, settings)
        found = prepared.assessment
        if found is not None and _no_room(prepared) and not anyway:
            panel_key, anyway_key = (self._key(action) for action in ("load", "load_anyway"))
            raise NoRoom(
                f"{clean(model.name)} does not fit: {size(found.missing_bytes)} are missing",
                f"{panel_key} opens the load panel: it lists what would help, {anyway_key} loads it anyway",
            )
        return prepared

    async def _greet(self, engines: Engines, engine: RunningEngine) -> None:
        """A new engine is there: it holds again what it held of the conversations that are shown."""
        for pane in self._desk.panes.at(engines):
            await pane.states.greet(engine)

    async def _leave(self, engines: Engines, engine: RunningEngine) -> None:
        """An engine is about to end: what it holds is kept."""
        for pane in self._desk.panes.at(engines):
            await pane.states.leave(engine)

    def _key(self, action_id: str) -> str:
        """A key that works while a person writes, where there is one."""
        keys = self._desk.keymap.keys[action_id]
        return show_key(keys[-1], self._desk.app.glyphs.ascii) if keys else "^p"

    async def _start_real(self, path: Any, settings: LoadSettings, name: str, on_progress: Any) -> Any:
        from tui.engine.client import Engine

        own = self._desk.settings
        return await Engine.start(
            path,
            self._shared_out(settings),
            name=name,
            on_progress=on_progress,
            nice=own.engine.nice if own else 10,
            reserve_threads=RESERVED_THREADS,
            engines_dir=self._desk.paths.engines_dir,
        )

    def _shared_out(self, settings: LoadSettings) -> LoadSettings:
        """The same settings; where another engine computes beside this one, with half of the threads: threads that wait
        for a core hold up all the threads that wait for them."""
        if isinstance(settings.threads, int) or not any(place.engines.ready for place in self._all):
            return settings
        return msgspec.structs.replace(settings, threads=max(1, default_threads(RESERVED_THREADS) // 2))

    def _post(self, message: Message) -> None:
        self._desk.app.post_message(message)

    def _spawn(self, group: str, work: Callable[[], Coroutine[Any, Any, None]], description: str) -> None:
        run: Any = work  # Textual's types do not tell a coroutine function from any other
        self._desk.app.run_worker(run, group=group, description=description, exclusive=True, exit_on_error=False)


def _no_room(prepared: Prepared) -> bool:
    return prepared.assessment is not None and prepared.assessment.verdict == "no"
