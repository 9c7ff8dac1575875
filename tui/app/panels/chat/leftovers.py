"""What a view of a document still has to draw when its screen is complete: the pages beside it, and the colours of long
code. It is done a few milliseconds at a time, by the app's tick or by a timer of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.app.panels.chat.view import DocumentView

_DELAY_S = 0.04


class Leftovers:
    """The work that can wait, of one view."""

    def __init__(self, view: DocumentView) -> None:
        self._view = view
        self._ahead = False
        self._scheduled = False

    def __bool__(self) -> bool:
        return self._ahead or self.colouring() is not None

    def look_ahead(self) -> None:
        """A page above and below the screen is drawn soon, so that scrolling there corrects no guess."""
        self._ahead = True
        self.schedule()

    def schedule(self) -> None:
        """It is done even if nobody flushes."""
        if not self._scheduled:
            self._scheduled = True
            self._view.set_timer(_DELAY_S, self._due)

    def do(self) -> bool:
        """Do a little of it. Returns whether there was any."""
        view = self._view
        if view.document is None or not view.laid_out or not self:
            return False
        if self._ahead:
            self._ahead = False
            view.move(view.document.settle(view.top, view.height, follow=view.follow, ahead=view.height))
        else:
            self._colour()
        return True

    def colouring(self) -> int | None:
        """The first row on screen whose code is not coloured yet."""
        for y, (unit, _) in enumerate(self._view.on_screen()):
            if unit.colouring:
                return y
        return None

    def _colour(self) -> None:
        view = self._view
        y = self.colouring()
        if y is not None and view.document is not None:
            unit, index = view.on_screen()[y]
            start, end = unit.colour(view.document.glyphs)
            view.refresh_rows(y + start - index, y + end - index)

    def _due(self) -> None:
        self._scheduled = False
        self.do()
        if self:
            self.schedule()
