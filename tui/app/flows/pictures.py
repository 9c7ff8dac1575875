"""Images of conversations as true pictures, in a terminal that understands them: made small in a thread, sent between
two frames, and put in place of half blocks once they are there.

Half blocks stay where an image cannot be made small, and wherever something dims the screen: that changes the colours
of text, and colours are the numbers of images. Nothing is ever sent to a terminal that is not known to understand it.
"""

from __future__ import annotations

import os
import random
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from textual.message import Message

from tui.app.panels.chat.placeholders import HIGHEST, deletion, is_understood, placeholders, png_of, transmission

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.messages import ConfigRead
    from tui.app.pane import Pane
    from tui.app.panels.chat.lines import Line
    from tui.app.panels.chat.units import Unit

AT_ONCE: Final = 64
"""Images that a terminal holds for us at most; the least recently drawn go first. A screen has fewer."""


class Wanted(NamedTuple):
    """An image, and the cells that it is to fill."""

    file: Path
    columns: int
    rows: int


class Sent(NamedTuple):
    """An image that the terminal has."""

    number: int
    lines: list[Line]


@dataclass
class PictureMade(Message):
    """An image is small; without any bytes it cannot be."""

    wanted: Wanted
    png: bytes = b""


class PictureFlow:
    """Knows what the terminal has."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._understood = False
        self._sent: OrderedDict[Wanted, Sent] = OrderedDict()  # the least recently drawn first
        self._asked: set[Wanted] = set()
        self._waiting: deque[Wanted] = deque()
        self._number = random.randrange(HIGHEST)  # another program's images are not written over but by rare chance

    def on_config_read(self, event: ConfigRead) -> None:
        """How images are shown is settled."""
        app, wish = self._desk.app, event.config.settings.ui.pictures
        colours = app.console.color_system == "truecolor" and not app.no_color and not app.glyphs.ascii
        self._understood = colours and is_understood(wish, os.environ)
        app.set_class(wish == "off", "-no-pictures", update=False)
        if self._understood:
            app.app_resume_signal.subscribe(app, self._resumed)
        for pane in self._desk.panes:
            self.begin_in(pane)

    def _resumed(self, _app: object) -> None:
        """The terminal belonged to another program meanwhile, and holds nothing of what was sent."""
        self._forget()

    def begin_in(self, pane: Pane) -> None:
        """Show images in a pane as the terminal can."""
        pane.view.transcript.show_pictures(self._line if self._understood else None)

    def _line(self, unit: Unit, index: int) -> Line | None:
        """What stands in place of a line of half blocks, if anything does."""
        from tui.app.panels.chat.picture import PictureUnit

        below = len(self._desk.app.screen_stack) > 1
        if index == 0 or below or not self._understood or not isinstance(unit, PictureUnit) or unit.file is None:
            return None
        wanted = Wanted(unit.file, *unit.cells)
        sent = self._sent.get(wanted)
        if sent is None:
            self._ask(wanted)
            return None
        self._sent.move_to_end(wanted)
        return sent.lines[index - 1]

    def _ask(self, wanted: Wanted) -> None:
        if wanted not in self._asked:
            self._asked.add(wanted)
            self._waiting.append(wanted)
            if len(self._waiting) == 1:
                self._make()

    def _make(self) -> None:
        """One at a time: a large image takes much memory while it is made small."""
        wanted = self._waiting[0]

        def work() -> None:
            from tui.llama.picture import PictureError

            try:
                made = PictureMade(wanted, png_of(*wanted))
            except (OSError, PictureError):
                made = PictureMade(wanted)
            self._desk.app.post_message(made)

        self._desk.background.thread(work, "pictures", "make an image small", exclusive=False)

    def on_picture_made(self, event: PictureMade) -> None:
        """Send it, and draw it where it is in sight."""
        self._waiting.popleft()
        if event.png and event.wanted in self._asked:
            self._send(event.wanted, event.png)
        if self._waiting and self._understood:
            self._make()

    def _send(self, wanted: Wanted, png: bytes) -> None:
        self._number = self._number % HIGHEST + 1
        size = (wanted.columns, wanted.rows)
        words = transmission(self._number, *size, png, os.environ)
        self._sent[wanted] = Sent(self._number, placeholders(self._number, *size))
        while len(self._sent) > AT_ONCE:
            old, sent = self._sent.popitem(last=False)
            self._asked.discard(old)
            words += deletion(sent.number, os.environ)
        self._desk.app.to_terminal(words)
        for pane in self._desk.panes:
            pane.view.transcript.refresh()

    def _forget(self) -> None:
        """Another program had the terminal: it has nothing of ours any more."""
        self._asked.difference_update(self._sent)
        self._sent.clear()

    def close(self) -> None:
        """Leave nothing behind, and send nothing more."""
        self._understood = False
        self._asked.clear()
        if self._sent:
            self._desk.app.to_terminal("".join(deletion(sent.number, os.environ) for sent in self._sent.values()))
        self._sent.clear()
