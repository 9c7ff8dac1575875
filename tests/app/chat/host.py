"""A small app around one transcript or one editor, as the tests start it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from tests.rigs.screen import screen_lines
from tui.app.panels.chat.editor import PromptEditor
from tui.app.panels.chat.transcript import Transcript, TranscriptMessage


class Host(App[None]):
    """Shows a widget and notes the messages that it posts."""

    BINDINGS: ClassVar[list[BindingType]] = [("q", "note_quit"), ("ctrl+y", "note_quit")]

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.heard: list[Message] = []
        self.app_key = False

    def action_note_quit(self) -> None:
        self.app_key = True

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_mount(self) -> None:
        self.widget.focus()

    def on_prompt_editor_submitted(self, event: PromptEditor.Submitted) -> None:
        self.heard.append(event)

    def on_prompt_editor_changed(self, event: PromptEditor.Changed) -> None:
        self.heard.append(event)


@asynccontextmanager
async def showing(widget: Widget, size: tuple[int, int] = (60, 12)) -> AsyncIterator[Pilot[None]]:
    """The widget in a running app."""
    app = Host(widget)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


def screen(widget: Widget) -> list[str]:
    """The lines that a widget shows, as the compositor has them."""
    crop = widget.size.region
    return [strip.text.rstrip() for strip in widget.render_lines(crop)]


def painted(pilot: Pilot[None]) -> list[str]:
    """The lines of the whole screen."""
    return screen_lines(pilot.app)


def follows(transcript: Transcript) -> bool:
    """Whether the end stays in view."""
    return transcript.follow


def user(key: str, text: str) -> TranscriptMessage:
    return TranscriptMessage(key, "user", text)


def answer(key: str, text: str, **more: str) -> TranscriptMessage:
    return TranscriptMessage(key, "assistant", text, **more)  # type: ignore[arg-type]


def stream(transcript: Transcript, pieces: Iterable[str]) -> None:
    """Append pieces, each with a flush of its own."""
    for piece in pieces:
        transcript.append(piece)
        transcript.flush()
