"""One message of the transcript as a column of units: who speaks, the thinking, the text, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from time import monotonic

from tui.app.panels.chat.fences import count_fences
from tui.app.panels.chat.glyphs import UNICODE, Glyphs
from tui.app.panels.chat.heights import Heights
from tui.app.panels.chat.message import Channel, TranscriptMessage
from tui.app.panels.chat.ornaments import Card, Label, Note, Space, Thought
from tui.app.panels.chat.picture import PictureUnit
from tui.app.panels.chat.plain import PlainSegmenter
from tui.app.panels.chat.segment import Segmenter
from tui.app.panels.chat.stream import BlockStream
from tui.app.panels.chat.units import FenceUnit, Unit


class Entry:
    """A message laid out. Its text is cut into pieces when it first comes near the screen; until then its height is a
    guess. A live entry grows: `append` only keeps the text, `advance` shows it."""

    def __init__(
        self,
        message: TranscriptMessage,
        *,
        live: bool = False,
        card: Card | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.message = message
        self.live = live
        self._unfolded: bool | None = None  # what a person wants of the thinking; None before it was said
        self.first = False
        """It stands at the top of the transcript: no blank line above it."""
        self.units: list[Unit] = []
        self.heights = Heights()
        self.opened = False
        """Its units are made."""
        self._card = card
        self._whole = not live
        self._clock = clock
        self._width = 0
        self._stale = False
        self._progress = ""
        self._selected = False
        self._thinking_since: float | None = None
        self._text = [message.text] if message.text else []
        self._thinking = [message.thinking] if message.thinking else []
        self._start = 0  # where the stream that still grows has its first unit

    @cached_property
    def _answer(self) -> BlockStream:
        return BlockStream(Segmenter() if self.message.role == "assistant" else PlainSegmenter())

    @cached_property
    def _thought(self) -> BlockStream:
        return BlockStream(PlainSegmenter(margin=2), "thinking")

    # ---- text -----------------------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The source of the message."""
        if len(self._text) > 1:
            self._text = ["".join(self._text)]
        return self._text[0] if self._text else ""

    @property
    def thinking(self) -> str:
        """The thinking before the answer."""
        return "".join(self._thinking)

    @property
    def thinks(self) -> bool:
        """It is thinking now."""
        return self.live and bool(self._thinking) and not self._text

    @property
    def units_made(self) -> int:
        """Units made for its text so far: what a flush renders again counts, what is closed never does."""
        return self._answer.made + self._thought.made

    def append(self, text: str, channel: Channel) -> None:
        """More of a live message."""
        if channel == "thinking":
            if not self._thinking:
                self._thinking_since = self._clock()
                self._stale = True
            self._thinking.append(text)
            self._thought.feed(text)
        else:
            if not self._text:
                self._end_thinking()
                self._stale = True
            self._text.append(text)
            self._answer.feed(text)

    def finish(self, note: str, failed: bool) -> None:
        """The answer is complete, and the note says how it ended."""
        self._end_thinking()
        self.message = replace(self.message, text=self.text, thinking=self.thinking, note=note, failed=failed)
        self.live = False
        self._answer.finish()
        self._thought.finish()
        self._stale = True

    def set_progress(self, text: str) -> None:
        """What a live entry is waiting for while it has no text."""
        if text != self._progress:
            self._progress = text
            self._stale = self._stale or not (self._text or self._thinking)

    def select(self, selected: bool) -> None:
        """Mark it as the one that keys are about, or no longer."""
        self._stale = self._stale or selected != self._selected
        self._selected = selected

    def toggle(self) -> None:
        """Fold or unfold the thinking."""
        self._unfolded = not self._shows_thought()
        self._stale = True

    def _end_thinking(self) -> None:
        if self._thinking_since is not None:
            self.message = replace(self.message, thinking_s=self._clock() - self._thinking_since)
            self._thinking_since = None
            self._thought.finish()

    # ---- code blocks ----------------------------------------------------------------------------------------------

    def fence_count(self) -> int:
        """How many numbered code blocks it has."""
        if self.message.role != "assistant":
            return 0
        if not self.opened:
            count = count_fences(self.message.text)
            if count is not None:
                return count
            self.open()
        return len(self._answer.fences)

    def fence(self, index: int) -> str:
        """The source of its code block `index`, counted from 0."""
        self.open()
        return self._answer.fences[index].text

    def number_fences(self, base: int) -> None:
        """Number the code blocks from `base` + 1 on."""
        if base + 1 == self._answer.first_number:
            return
        self._answer.first_number = base + 1
        fences = [unit for unit in self._answer.units if isinstance(unit, FenceUnit)]
        for offset, unit in enumerate(fences):
            unit.number = base + offset + 1
            unit.forget()

    # ---- layout ---------------------------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        """Lines it takes; a guess as long as not everything is drawn."""
        if self.opened:
            return self.heights.total
        text = self.message.text
        lines = 2 + bool(self.message.thinking) + 2 * bool(self.message.note) + (self.message.role != "assistant")
        lines += sum(PictureUnit(picture).estimate(self._width) for picture in self.message.pictures)
        return lines + text.count("\n") + len(text) // max(8, self._width + self._width // 2)

    def fit(self, width: int) -> None:
        """Lay out for another width: everything drawn is forgotten."""
        if width == self._width:
            return
        self._width = width
        for unit in self.units:
            unit.forget()
        self._measure()

    def set_first(self, first: bool) -> None:
        """Whether it stands at the top of the transcript."""
        if first != self.first:
            self.first = first
            if self.opened:
                self._rebuild()

    def open(self) -> None:
        """Cut the text into pieces and make their units."""
        if self.opened:
            return
        self.opened = True
        if self._whole:
            for stream, text in ((self._answer, self.message.text), (self._thought, self.message.thinking)):
                stream.feed(text)
                stream.finish()
                stream.update(UNICODE)
        self._rebuild()

    def draw(self, index: int, glyphs: Glyphs) -> int:
        """Draw one unit if it is not; returns by how many lines the guess was short."""
        unit = self.units[index]
        before = self.heights[index]
        if unit.lines is None:
            unit.draw(self._width, glyphs)
        after = len(unit.lines or ())
        self.heights.set(index, after)
        return after - before

    @property
    def waiting(self) -> bool:
        """Whether `advance` has something to do."""
        return self._stale or self._answer.waiting or self._thought.waiting

    def advance(self, glyphs: Glyphs) -> int | None:
        """Show what was appended or changed. Returns the first line that may look different now, or None."""
        self.open()
        stream = self._thought if self.thinks else self._answer
        if self._stale:
            self._thought.update(glyphs)
            self._answer.update(glyphs)
            self._rebuild()
            return 0
        change = stream.update(glyphs)
        if change is None or (self.thinks and not self._shows_thought()):
            return None
        return self._splice(stream, *change, glyphs)

    def _splice(self, stream: BlockStream, index: int, line: int, glyphs: Glyphs) -> int:
        """Take over the units of a stream from `index` on, and draw the new ones."""
        at = self._start + index
        old = self.units[at] if at < len(self.units) else None
        units = [*stream.units[index:], *self._tail()]
        self.units[at:] = units
        for unit in units:
            if unit.lines is None:
                unit.draw(self._width, glyphs)
        self.heights.replace(at, [len(unit.lines or ()) for unit in units])
        if line == 0 and old is not None and units and old is not units[0]:
            line = units[0].take_over(old)
        return self.heights.offset(at) + line

    def _rebuild(self) -> None:
        """Put the units together from their parts. What is drawn of the text stays drawn."""
        self._stale = False
        self.units = self._head()
        if self._thinking:
            self.units.append(self._thought_line())
            if self._shows_thought():
                self._start = len(self.units)
                self.units.extend(self._thought.units)
                if not self.thinks:
                    self.units.append(Space())
        if not self.thinks:
            self._start = len(self.units)
            self.units.extend(self._answer.units)
        self.units.extend(self._tail())
        self._measure()

    def _measure(self) -> None:
        width = max(1, self._width)
        self.heights.replace(0, [unit.height(width) for unit in self.units])

    def _shows_thought(self) -> bool:
        """Unfolded while it lasts and folded afterwards, unless a person wants it otherwise."""
        return self.thinks if self._unfolded is None else self._unfolded

    def _head(self) -> list[Unit]:
        if self._card is not None:
            return [*([] if self.first else [Space()]), self._card]
        message = self.message
        label = message.label or {"user": "you", "system": "system"}.get(message.role, "")
        if message.version or self._selected:
            label = f"{label or 'answer'}  {message.version}".rstrip()
        name = Label(label, message.role, gap=not self.first, selected=self._selected)
        return [name, *map(PictureUnit, message.pictures)]

    def _thought_line(self) -> Unit:
        shows = self._shows_thought()
        return Thought(self.thinks, self.message.thinking_s, shows=shows, name=self.message.folded)

    def _tail(self) -> list[Unit]:
        if self.live and self._progress and not self._text and not self._thinking:
            return [Note(self._progress, failed=False, gap=False, plain=True)]
        if self.message.note:
            return [Note(self.message.note, failed=self.message.failed, gap=bool(self._text))]
        return []
