"""The models on this machine in the workbench: looked for, watched, read about, added, made one, deleted.

Looking and everything else that touches files is done by workers; a scan is only repeated where something has changed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message
from textual.worker import get_current_worker

from tui.app.messages import ModelsFound
from tui.app.text import clean, size

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.panels.library.panel import LibraryPanel
    from tui.library import Model
    from tui.library.details import Details
    from tui.library.scanner import Look
    from tui.models.removal import Deletion
    from tui.models.usage import Usage

EVERY_S = 3.0
"""From one look at whether something has changed to the next."""
_SHARE = 20
"""Scans wait for so many times as long as the last one took: a folder that changes all the time costs little."""


@dataclass
class DetailsRead(Message):
    """All that is known of a model; `details` is None where its header cannot be read."""

    model: Model
    details: Details | None
    usage: Usage


@dataclass
class LastUsedKnown(Message):
    """When models were last used, in Unix seconds by identity."""

    last_used: Mapping[str, float]


@dataclass
class ModelsDeleted(Message):
    """A model's files were deleted, or could not all be; in words."""

    words: str
    problem: str = ""


class LibraryFlow:
    """Keeps the list true, and opens what is asked for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._said: set[str] = set()
        self._looked = False
        self._to_select: tuple[Path, ...] = ()

    # ---- looking and watching

    def look(self) -> None:
        """Look for models now, and again whenever something has changed."""
        desk, settings = self._desk, self._desk.settings
        if settings is None:
            return
        folders, first, self._looked = settings.library.folders, not self._looked, True

        def work() -> None:
            from tui.library import changed, look

            cancelled, left = get_current_worker().cancelled_event, _unsettled if first else _nothing
            found: Look | None = None
            while True:
                begun = time.monotonic()
                found = look(desk.paths, folders, before=found)
                desk.app.post_message(ModelsFound(found.models, (*found.notes, *left(found.models))))
                pause, left = max(EVERY_S, _SHARE * (time.monotonic() - begun)), _nothing
                while True:
                    if cancelled.wait(pause):
                        return
                    if changed(found.stamps):
                        break
                    pause = EVERY_S

        desk.background.thread(work, "library", "look for models")

    def on_models_found(self, event: ModelsFound) -> None:
        """Say what was passed over, once; go to what was just added."""
        fresh = [note for note in event.notes if note not in self._said]
        self._said.update(fresh)
        self._desk.tell("\n".join(fresh), "warning")
        for model in event.models if self._to_select else ():
            if {model.path, *(place.path for place in model.also)} & set(self._to_select):
                self._to_select = ()
                self._desk.bench.library.select(model.identity)
                return

    # ---- the list

    def sort_next(self) -> None:
        """The next order; when models were last used is read when it is asked for."""
        desk, library = self._desk, self._desk.bench.library
        library.sort_next()
        if library.order != "last use":
            return

        def work() -> None:
            from tui.models.lessons import learnt
            from tui.models.usage import last_used

            desk.app.post_message(LastUsedKnown(last_used(learnt(desk.paths))))

        desk.background.thread(work, "last used", "see when models were used")

    def on_last_used_known(self, event: LastUsedKnown) -> None:
        """The list follows."""
        self._desk.bench.library.set_last_used(event.last_used)

    # ---- one model

    def read_details(self, model: Model) -> None:
        """Read all that is known of a model; it opens when that is there."""
        desk = self._desk

        def work() -> None:
            from tui.gguf.errors import GgufError
            from tui.library.details import details_of
            from tui.models.lessons import learnt
            from tui.models.usage import usage_of

            try:
                details = details_of(model) if model.problem is None else None
            except GgufError:
                details = None
            desk.app.post_message(DetailsRead(model, details, usage_of(model, learnt(desk.paths))))

        desk.background.thread(work, "details", f"read about {model.name}")

    def on_library_panel_asked(self, event: LibraryPanel.Asked) -> None:
        """The details say what is wrong, and what to do."""
        self.read_details(event.model)

    def on_details_read(self, event: DetailsRead) -> None:
        """Show them."""
        from tui.app.panels.library.details import details_text
        from tui.app.screens.read import ReadScreen

        desk = self._desk
        text = details_text(event.model, event.details, event.usage, time.time(), desk.app.glyphs)
        desk.app.push_screen(ReadScreen(clean(event.model.name), text, desk.keymap))

    def delete(self, model: Model) -> None:
        """Ask what is to be deleted, and delete it."""
        from tui.app.screens.delete import DeleteScreen
        from tui.models.removal import plan_deletions

        desk = self._desk
        loaded = desk.loading.model is not None and desk.loading.model.identity == model.identity
        screen = DeleteScreen(model, lambda: plan_deletions(desk.paths, model), desk.keymap, loaded=loaded)
        desk.app.push_screen(screen, lambda chosen: self._delete(model, chosen or ()))

    def _delete(self, model: Model, chosen: Sequence[Deletion]) -> None:
        desk = self._desk
        if not chosen:
            return

        def work() -> None:
            from tui.app.panels.library.row import homely
            from tui.hub.errors import HubError
            from tui.library import LibraryError
            from tui.models.removal import carry_out, freed_by_all

            freed = freed_by_all(chosen)
            try:
                for deletion in chosen:
                    carry_out(desk.paths, deletion)
            except (LibraryError, HubError) as error:
                desk.app.post_message(ModelsDeleted("", str(error)))
            else:
                words = f"{size(freed)} came free." if freed else "No space came free: it has another name."
                what = ", ".join(homely(str(deletion.path)) for deletion in chosen)
                desk.app.post_message(ModelsDeleted(f"{what} is deleted. {words}"))

        desk.background.thread(work, "delete", f"delete {model.name}", exclusive=False)

    def on_models_deleted(self, event: ModelsDeleted) -> None:
        """Say so, and look at what is left."""
        self._desk.tell(event.words)
        self._desk.tell(event.problem, "error")
        self.look()

    def join(self, model: Model) -> None:
        """Make copies of a model one."""
        from tui.app.screens.join import JoinScreen
        from tui.library.copies import copy_plans

        desk, models = self._desk, self._desk.bench.library.models

        def ended(freed: int | None) -> None:
            if freed is not None:
                desk.tell(f"{model.name} is one file now: {size(freed)} came free.")
                self.look()

        desk.app.push_screen(JoinScreen(model, lambda: copy_plans(model, models), desk.keymap), ended)

    # ---- more models

    def add(self) -> None:
        """Ask for a path, and for how what is there shall come into the library."""
        from tui.app.screens.add import AddScreen

        self._desk.app.push_screen(AddScreen(self._desk.keymap), self._ask_how)

    def _ask_how(self, path: str | None) -> None:
        from tui.app.screens.ways import WaysScreen

        desk, settings = self._desk, self._desk.settings
        if path is not None and settings is not None:
            desk.app.push_screen(WaysScreen(path, desk.paths, settings.library.folders, desk.keymap), self._added)

    def _added(self, files: tuple[Path, ...] | None) -> None:
        if files:
            self._to_select = files
            self._desk.bench.go("library")
            self.look()


def _nothing(_models: Sequence[Model]) -> list[str]:
    return []


def _unsettled(models: Sequence[Model]) -> list[str]:
    """Copies that were made one and then neither confirmed nor undone, as when the program was killed."""
    from tui.library.copies import copy_work

    names = [model.name for model in models if model.also and copy_work(model, model.also).unconfirmed]
    told = "a copy was made one with it, and nobody has said whether that stays: look at its copies"
    return [f"{name}: {told}" for name in names]
