"""One conversation in its frame: the transcript, one line on context and progress, and the name of who answers. It
shows what it is told; it knows no engine and no store.

The empty frame is part of the first frame of the program; transcript and status line join it right after, by `fill`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from rich.cells import cell_len
from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as Event

from tui.app.text import clean, fit, rate

if TYPE_CHECKING:
    from tui.app.glyphs import Glyphs
    from tui.app.look import LookApp
    from tui.app.panels.chat.crash import Crash
    from tui.app.panels.chat.state import Status
    from tui.app.panels.chat.status import StatusLine
    from tui.app.panels.chat.transcript import Transcript
    from tui.chat.images import Images
    from tui.chat.values import Message

TITLE = "Chat"
ABOUT = "~ "
"""Stands before a number that is estimated."""
CARD = "crash"
"""The transcript's key of the card about an engine that stopped."""


class ChatPane(Vertical):
    """The frame and what is in it."""

    class Opened(Event):
        """A conversation is shown from its beginning."""

        def __init__(self, pane: ChatPane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._model = ""
        self._rate: float | None = None
        self._exact = True
        self._transcript: Transcript
        self._status: StatusLine
        self._notes = ("", "")
        self._preset = ""
        self._shown: tuple[Message, ...] = ()
        self.crash: Crash | None = None
        """What the card tells, while there is one."""
        self.hidden_name = ""
        """What stands in place of the names of models, while they are not to be known."""
        self.images: Images | None = None
        """Where the images of the conversation are."""
        self.chosen: bool | None = None
        """Among several panes, whether keys are about this one; None for the only one."""

    def on_mount(self) -> None:
        self.draw_title()

    async def fill(self) -> None:
        """Mount what the first frame does without. Everything else here needs this to have happened."""
        from tui.app.panels.chat.status import StatusLine
        from tui.app.panels.chat.talk import TalkTranscript

        self._transcript, self._status = TalkTranscript(id="transcript"), StatusLine(id="status")
        await self.mount(self._transcript, self._status)

    def on_resize(self, _event: events.Resize) -> None:
        self.draw_title()

    @property
    def transcript(self) -> Transcript:
        """The messages."""
        return self._transcript

    @property
    def written(self) -> tuple[str, ...]:
        """What the person wrote in the conversation that is shown."""
        from tui.chat.attachments import parted

        return tuple(parted(message.content)[0] for message in self._shown if message.role == "user")

    @property
    def code_blocks(self) -> dict[int, str]:
        """The code blocks of the conversation by their numbers."""
        transcript = self.transcript
        blocks = {number: transcript.code_block(number) for number in range(1, transcript.code_count + 1)}
        return {number: text for number, text in blocks.items() if text is not None}

    # ---- status, title and what stands below

    @property
    def status(self) -> Status:
        """What the status line says."""
        return self._status.status

    def set_status(self, status: Status) -> None:
        """Say something else in the status line."""
        from tui.app.panels.chat.state import Loading, NoModel

        self._status.status = status
        if isinstance(status, NoModel | Loading):
            self.set_rate(None)

    def set_model(self, name: str) -> None:
        """Name of who answers, for the title; empty without anyone."""
        self._model = clean(name)
        self.draw_title()

    def set_rate(self, tok_s: float | None, *, exact: bool = True) -> None:
        """Tokens per second, for the title; marked where they are not counted but estimated."""
        if (tok_s, exact) != (self._rate, self._exact):
            before = (rate(self._rate) if self._rate else "", self._exact)
            self._rate, self._exact = tok_s, exact
            if before != (rate(tok_s) if tok_s else "", exact):
                self.draw_title()

    def set_notes(self, editing: str | None = None, figures: str | None = None) -> None:
        """What stands on the lower border: what the prompt is for, when it is no new message, and else what the last
        answer took. None leaves one as it is."""
        before = self._notes
        self._notes = (before[0] if editing is None else editing, before[1] if figures is None else figures)
        self._draw_notes()

    def set_preset(self, name: str) -> None:
        """The preset by which the next answer is made, beside those notes; empty for none."""
        self._preset = clean(name)
        self._draw_notes()

    def _draw_notes(self) -> None:
        editing, figures = self._notes
        dot = cast("LookApp", self.app).glyphs.dot
        self.border_subtitle = Content(editing or f" {dot} ".join(part for part in (figures, self._preset) if part))

    def choose(self, chosen: bool | None) -> None:
        """Mark it as the one that keys are about, among several; None among one."""
        if chosen is not self.chosen:
            self.chosen = chosen
            self.draw_title()

    def hide_names(self, instead: str) -> None:
        """Show `instead` for the names of models from now on; empty shows them again."""
        if instead != self.hidden_name:
            self.hidden_name = instead
            self.draw_title()
            if self._shown and not self.transcript.answering:
                self._show(self._shown)

    def draw_title(self) -> None:
        """Name on the left of the upper border, rate on the right; the border's own line between them."""
        glyphs = self._glyphs
        room = self.size.width - 4
        words = f"{'' if self._exact else ABOUT}{rate(self._rate)}" if self._rate and not self.hidden_name else ""
        name = self._who(room)
        if not words or room < 24:
            self.border_title = Content(fit(name, min(cell_len(name), max(1, room)), glyphs.ellipsis))
            return
        name = fit(name, min(cell_len(name), room - cell_len(words) - 4), glyphs.ellipsis)
        rule = glyphs.rule * (room - cell_len(name) - cell_len(words) - 2)
        color = "$border" if self.has_class("-on") else "$frame"
        self.border_title = Content.assemble(name, " ", (rule, color), " ", (words, "$muted"))

    def _who(self, room: int) -> str:
        model, glyphs = self.hidden_name or self._model, self._glyphs
        if self.chosen is not None:
            return f"{glyphs.pointer if self.chosen else ' '} {model or TITLE}".lstrip()
        return model if model and room < 44 else f"{TITLE} {glyphs.dot} {model}".rstrip(f" {glyphs.dot}")

    @property
    def _glyphs(self) -> Glyphs:
        return cast("LookApp", self.app).glyphs

    # ---- messages

    def show_messages(self, messages: Sequence[Message]) -> None:
        """Show a conversation from its beginning."""
        self._show(tuple(messages))
        if messages:
            self.post_message(self.Opened(self))

    def _show(self, messages: tuple[Message, ...]) -> None:
        from tui.app.panels.chat.stored import transcribed

        self._shown = messages
        self.transcript.set_messages([transcribed(message, self.hidden_name, self.images) for message in messages])

    def add_message(self, message: Message) -> None:
        """Show one more message."""
        from tui.app.panels.chat.stored import transcribed

        self._shown = (*self._shown, message)
        self.transcript.add_message(transcribed(message, self.hidden_name, self.images))

    def begin_answer(self, message: Message) -> None:
        """An answer begins to stream; its text comes through `transcript.append`."""
        from tui.app.panels.chat.stored import version

        self.set_rate(None)
        self.transcript.begin_answer(str(message.id), self.hidden_name or message.model, version(message))
        self.transcript.append(message.thinking, "thinking")
        self.transcript.append(message.content)

    def end_answer(self, message: Message, note: str = "") -> None:
        """The answer is over; `note` is said instead of what is stored about that."""
        from tui.app.panels.chat.stored import answer_note, failed

        self._shown = (*(one for one in self._shown if one.id < message.id), message)
        self.transcript.end_answer(note or answer_note(message), failed=failed(message))

    # ---- an engine that stopped

    def show_crash(self, crash: Crash, keys: tuple[str, str, str]) -> None:
        """Tell of an engine that stopped, with the keys that go on from there."""
        self.clear_crash()
        self.crash = crash
        self.transcript.add_card("the engine stopped", crash.lines(*keys), key=CARD)

    def clear_crash(self) -> None:
        """The card is not needed any more."""
        if self.crash is not None:
            self.crash = None
            self.transcript.remove_message(CARD)
