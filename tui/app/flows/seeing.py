"""Whether the models that a prompt goes to can see what it carries, and what to do where one cannot: say which, and
offer to fetch its projector, to load it with the one that is here, or to send the words alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from tui.app.text import clean, sentence

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.pane import Pane
    from tui.library import Model

Way = Literal["pull", "load", "words"]


@dataclass(frozen=True, slots=True)
class Blind:
    """A model that a prompt goes to and that sees nothing."""

    pane: Pane
    model: Model
    projector: Path | None
    """One that lies beside it all the same."""
    built: bool = True
    """Whether the installed llama.cpp can look at images at all."""


class SeeFlow:
    """Looks at the panes that a prompt is aimed at."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def loaded_without(self) -> tuple[Pane, ...]:
        """The panes whose model is in memory without a projector."""
        return tuple(
            pane for pane in self._desk.panes.aimed if pane.engine is not None and not pane.engine.receipt.projector
        )

    def blind(self) -> Callable[[], Blind | None]:
        """What finds the first that cannot see: to be called in a thread, as it looks into folders."""
        desk = self._desk
        settings, paths, without = desk.settings, desk.paths, self.loaded_without()
        aimed = [(pane, pane.model or desk.bench.library.selected, pane.wished) for pane in desk.panes.aimed]

        def look() -> Blind | None:
            from tui.llama.settings import SettingsError
            from tui.models.prepare import wished_for
            from tui.models.projectors import has_mtmd, may_see, projector_beside

            for pane, model, wished in aimed:
                if model is None or settings is None:
                    continue
                if not has_mtmd():
                    return Blind(pane, model, None, built=False)
                if pane in without:
                    return Blind(pane, model, projector_beside(model.path))
                try:
                    wanted = wished or wished_for(paths, model, settings)
                except SettingsError:  # the load says so
                    continue
                if not pane.ready and not may_see(model.path, wanted):
                    return Blind(pane, model, projector_beside(model.path))
            return None

        return look

    def offer(self, blind: Blind, send_words: Callable[[], None]) -> None:
        """Ask what to do. The prompt is in the editor again meanwhile."""
        from tui.app.screens.choose import ChooseScreen, Option
        from tui.models.projectors import NO_MTMD

        desk, name = self._desk, clean(blind.model.name)
        options: list[Option[Way]] = []
        if blind.projector is not None:
            options.append(Option("load", "Load it with its projector", clean(blind.projector.name)))
        elif blind.model.repo and blind.built:
            options.append(Option("pull", "Fetch its projector", f"from {clean(blind.model.repo)}; then load it again"))
        options.append(Option("words", "Send the words alone", "without the image"))
        lacks = f"{name} cannot see images: it has no projector beside it"
        if not blind.built:
            lacks = sentence(NO_MTMD)
        elif blind.projector is not None:
            lacks = f"{name} cannot see images: it was loaded without its projector"

        def chosen(way: Way | None) -> None:
            if way == "words":
                send_words()
            elif way == "load":
                self._load(blind)
            elif way == "pull":
                desk.downloads.want_projector(blind.model)

        desk.app.push_screen(ChooseScreen(lacks, options, desk.keymap), chosen)

    def _load(self, blind: Blind) -> None:
        pane = blind.pane
        wished = pane.wished or (pane.place.engines.wished if pane.place is not None else None)
        projector = str(blind.projector)
        if wished is not None:
            wished = msgspec.structs.replace(wished, mmproj=projector)
        else:
            from tui.models.prepare import wished_for

            assert self._desk.settings is not None
            wished = wished_for(self._desk.paths, blind.model, self._desk.settings, {"mmproj": projector})
        self._desk.loading.load(blind.model, wished, pane=pane)
