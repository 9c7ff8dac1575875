"""The messages of a transcript as a document: setting, adding and removing them, and the answer that streams.

It knows no widget. Changes are only noted; `advance` shows them and says from which line on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tui.app.panels.chat.document import Document, Place
from tui.app.panels.chat.entry import Entry
from tui.app.panels.chat.message import Channel, TranscriptMessage
from tui.app.panels.chat.ornaments import Card, Thought


class Conversation:
    """Messages below each other, at most one of them being written."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.document = Document()
        self.live: Entry | None = None
        """The answer that is being written."""
        self.selected: str | None = None
        """Key of the message that keys are about."""
        self._clock = clock
        self._changed: dict[str, None] = {}  # keys of entries with something new, in order
        self._cards = 0

    # ---- messages -------------------------------------------------------------------------------------------------

    def set_messages(self, messages: Sequence[TranscriptMessage]) -> None:
        """Have these messages instead of all. Those that were there already keep what is drawn of them."""
        known = {entry.message.key: entry for entry in self.document.entries}
        entries: list[Entry] = []
        for message in messages:
            entry = known.get(message.key)
            if entry is None or entry.live or not _shows(entry, message):
                entry = Entry(message, clock=self._clock)
            entries.append(entry)
        self.live = None
        self._changed.clear()
        self.document.replace(entries)
        if self.selected is not None and self.document.index(self.selected) is None:
            self.selected = None

    def add(self, message: TranscriptMessage) -> None:
        """Append a message."""
        self.document.add(Entry(message, clock=self._clock))

    def add_card(self, title: str, lines: Sequence[str], key: str) -> str:
        """Append a card; returns its key."""
        self._cards += 1
        key = key or f"card-{self._cards}"
        self.document.add(Entry(TranscriptMessage(key, "card", ""), card=Card(title, lines)))
        return key

    def remove(self, key: str) -> bool:
        """Take a message or a card out. Returns whether it was there."""
        index = self.document.index(key)
        if index is None:
            return False
        if self.document.entries[index] is self.live:
            self.live = None
        self.document.remove(index)
        self._changed.pop(key, None)
        if key == self.selected:
            self.selected = None
        return True

    def entry(self, key: str) -> Entry | None:
        """The entry of a message."""
        index = self.document.index(key)
        return None if index is None else self.document.entries[index]

    # ---- the answer that is being written -------------------------------------------------------------------------

    def begin(self, key: str, label: str, version: str) -> None:
        """Begin an answer; one that was not ended is ended."""
        self.end("", failed=False)
        message = TranscriptMessage(key, "assistant", "", label=label, version=version)
        self.live = Entry(message, live=True, clock=self._clock)
        self.document.add(self.live)
        self._note(self.live)

    def append(self, text: str, channel: Channel) -> None:
        """More of it."""
        if self.live is not None and text:
            self.live.append(text, channel)
            self._note(self.live)

    def set_progress(self, text: str) -> None:
        """What it is waiting for."""
        if self.live is not None:
            self.live.set_progress(text)
            self._note(self.live)

    def end(self, note: str, *, failed: bool) -> None:
        """It is complete."""
        if self.live is not None:
            self.live.finish(note, failed)
            self._note(self.live)
            self.live = None

    def select(self, key: str | None) -> None:
        """Mark a message as the one that keys are about, or none."""
        for at, on in ((self.selected, False), (key, True)):
            entry = self.entry(at) if at is not None else None
            if entry is not None:
                entry.select(on)
                self._note(entry)
        self.selected = key

    def neighbour(self, key: str | None, step: int) -> str | None:
        """The message `step` places from that of `key`; without one the last or the first. None past the ends."""
        keys = [entry.message.key for entry in self.document.entries if entry.message.role != "card"]
        if key not in keys:
            return (keys[-1] if step < 0 else keys[0]) if keys else None
        at = keys.index(key) + step
        return keys[at] if 0 <= at < len(keys) else None

    def toggle_thinking(self, entry: Entry) -> None:
        """Fold or unfold the thinking of an entry."""
        entry.toggle()
        self._note(entry)

    def _note(self, entry: Entry) -> None:
        self._changed[entry.message.key] = None

    @property
    def waiting(self) -> bool:
        """Whether `advance` has something to show."""
        return bool(self._changed)

    def advance(self) -> int | None:
        """Show what has changed. Returns the first line of the document that may look different, or None."""
        first: int | None = None
        for key in self._changed:
            index = self.document.index(key)
            line = self.document.advance(index) if index is not None else None
            if line is not None:
                first = line if first is None else min(first, line)
        self._changed.clear()
        return first

    # ---- what is where --------------------------------------------------------------------------------------------

    def line_of(self, key: str) -> int | None:
        """The line that a message begins with."""
        index = self.document.index(key)
        return None if index is None else self.document.offset(Place(index, 0, 0))

    def thinking_line_at(self, y: int) -> Entry | None:
        """The entry whose line about its thinking is line `y`."""
        place = self.document.locate(y)
        if place is None or place.unit >= len(self.document.entries[place.entry].units):
            return None
        entry = self.document.entries[place.entry]
        return entry if isinstance(entry.units[place.unit], Thought) else None

    def last_thinking_before(self, y: int) -> Entry | None:
        """The last entry with thinking that begins at or above line `y`."""
        place = self.document.locate(y)
        entries = self.document.entries[: place.entry + 1] if place is not None else []
        return next((entry for entry in reversed(entries) if entry.thinking), None)

    def plain_text(self) -> str:
        """The source of all messages with who said it. Thinking, notes and cards are left out."""
        parts: list[str] = []
        for entry in self.document.entries:
            message = entry.message
            if message.role != "card":
                name = message.label or {"user": "you"}.get(message.role, message.role)
                parts.append(f"{name}:\n{entry.text}")
        return "\n\n".join(parts)


def _shows(entry: Entry, message: TranscriptMessage) -> bool:
    """Whether an entry shows this message already. One that timed its thinking itself knows more than the message."""
    if message.thinking_s is None:
        message = replace(message, thinking_s=entry.message.thinking_s)
    return entry.message == message
