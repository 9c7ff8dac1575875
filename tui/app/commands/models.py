"""What is done with models: loading, unloading, and loading again after an engine has stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from tui.app.commands.part import Part
from tui.app.text import clean_lines

if TYPE_CHECKING:
    from tui.library import Model


class Models(Part):
    """The selected model, the loaded one, and the one whose engine has stopped."""

    def load(self) -> None:
        model = self._model_meant()
        if model is not None:
            self._desk.fit.open_panel(model)

    def can_load(self) -> bool:
        panel = self._desk.bench.load
        elsewhere = self._desk.finder.has_focus or (panel is not None and panel.has_focus_within)
        return self._model_meant() is not None and not elsewhere

    def _model_meant(self) -> Model | None:
        """The model in memory while one talks to it, else the selected one."""
        library, loading = self._desk.bench.library, self._desk.loading
        return loading.engines.model if loading.ready and not library.has_focus else library.selected

    def unload(self) -> None:
        self._desk.loading.unload()

    def can_unload(self) -> bool:
        return self._desk.loading.ready

    def rescan(self) -> None:
        self._desk.library.look()

    def engine_log(self) -> None:
        from tui.app.screens.read import ReadScreen

        lines = self._desk.loading.log or ("The engine has written nothing yet.",)
        text = Content("\n".join(clean_lines(line) for line in lines))
        self._desk.app.push_screen(ReadScreen("What the engine wrote last", text, self._desk.keymap, at_end=True))

    def can_engine_log(self) -> bool:
        panel = self._desk.bench.load
        return panel is None or not panel.has_focus_within  # its own key for loading anyway may be the same

    # ---- an engine that has stopped

    def reload_safer(self) -> None:
        crash = self._desk.bench.chat.crash
        if crash is not None:
            self._desk.loading.reload(crash, crash.safer.settings if crash.safer is not None else crash.settings)

    def can_reload_safer(self) -> bool:
        return self._desk.bench.chat.crash is not None

    def reload_same(self) -> None:
        crash = self._desk.bench.chat.crash
        if crash is not None:
            self._desk.loading.reload(crash, crash.settings)

    def can_reload_same(self) -> bool:
        crash = self._desk.bench.chat.crash
        return crash is not None and crash.safer is not None

    can_crash_log = can_reload_safer

    def crash_log(self) -> None:
        self.engine_log()
