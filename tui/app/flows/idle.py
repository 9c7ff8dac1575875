"""A model that nobody talks to leaves memory after a while, where the person wants that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.text import clean

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.app.desk import Desk


class IdleFlow:
    """Counts the minutes without a word."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._timer: Timer | None = None

    def spoken(self) -> None:
        """Somebody talks with the model: the time begins anew."""
        settings = self._desk.settings
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if settings is not None and settings.engine.unload_after_min:
            self._timer = self._desk.app.set_timer(settings.engine.unload_after_min * 60, self._due)

    def _due(self) -> None:
        desk, settings = self._desk, self._desk.settings
        model = desk.loading.model
        if settings is None or model is None or not desk.loading.ready or model.name in settings.engine.keep_warm:
            return
        if desk.chatting.any_busy or desk.bench.chat.editor.text.strip():
            self.spoken()
            return
        desk.tell(f"{clean(model.name)} left memory: nobody has talked with it for a while. Writing loads it again.")
        desk.loading.unload()
