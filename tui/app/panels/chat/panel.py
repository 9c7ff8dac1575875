"""The chat panel: a transcript, one line on context and progress, and the prompt. It shows what it is told; it knows no
engine and no store.

The prompt is part of the first frame; transcript and status line join it right after, by `fill`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.panels.chat.editor import PromptEditor
from tui.app.text import clean, fit, plural, rate

if TYPE_CHECKING:
    from tui.app.panels.chat.crash import Crash
    from tui.app.panels.chat.state import Status
    from tui.app.panels.chat.status import StatusLine
    from tui.app.panels.chat.transcript import Transcript
    from tui.chat.values import Message

TITLE = "Chat"
PLACEHOLDER = "Write here"
MOST_ROWS = 8
"""Rows that the prompt grows to, in a screen that is four times as high."""
ABOUT = "~ "
"""Stands before a number that is estimated."""
CARD = "crash"
"""The transcript's key of the card about an engine that stopped."""


class PromptSign(Drawn):
    """The sign before the prompt; bright while letters go there."""

    def render_line(self, y: int) -> Strip:
        ready = isinstance(self.parent, Horizontal) and self.parent.has_focus_within
        sign = f" {self.glyphs.prompt} " if y == 0 else ""
        return self.line([Segment(sign, self.pen("accent" if ready else "faint", "bold" if ready else ""))])


class ChatPanel(Vertical):
    """The panel."""

    def __init__(self) -> None:
        super().__init__(id="chat")
        self._model = ""
        self._rate: float | None = None
        self._exact = True
        self._transcript: Transcript
        self._status: StatusLine
        self.crash: Crash | None = None
        """What the card tells, while there is one."""

    def compose(self) -> ComposeResult:
        yield Vertical(id="talk", classes="panel")
        with Horizontal(id="ask"):
            yield PromptSign(id="sign")
            yield PromptEditor(id="prompt", placeholder=PLACEHOLDER)

    def on_mount(self) -> None:
        self._draw_title()

    async def fill(self) -> None:
        """Mount what the first frame does without. Everything but the prompt needs this to have happened."""
        from tui.app.panels.chat.status import StatusLine
        from tui.app.panels.chat.talk import TalkTranscript

        self._transcript, self._status = TalkTranscript(id="transcript"), StatusLine(id="status")
        await self.query_one("#talk").mount(self._transcript, self._status)

    def on_resize(self, _event: events.Resize) -> None:
        self.editor.max_rows = max(1, min(MOST_ROWS, self.app.size.height // 4))
        self._draw_title()

    # ---- parts

    @property
    def transcript(self) -> Transcript:
        """The messages."""
        return self._transcript

    @property
    def editor(self) -> PromptEditor:
        """The prompt."""
        return self.query_one(PromptEditor)

    @property
    def writing(self) -> bool:
        """True while letters go into the prompt."""
        return self.editor.has_focus

    def go(self) -> None:
        """Put the cursor into the prompt."""
        self.editor.focus()

    def leave(self) -> None:
        """Leave the prompt, so that plain keys work."""
        self.transcript.focus()

    def give_back(self, text: str) -> None:
        """Text that could not be sent returns to the prompt, before what was typed meanwhile."""
        self.editor.text = f"{text}\n{self.editor.text}" if self.editor.text else text

    def set_editing(self, words: str) -> None:
        """What the prompt is for, when it is no new message: on the border above it. Empty for a new message."""
        self.query_one("#talk").border_subtitle = Content(words)

    def show_waiting(self, count: int) -> None:
        """Say how many prompts wait to be sent, where the next one is written."""
        waits = f"{plural(count, 'prompt waits', 'prompts wait')} to be sent" if count else PLACEHOLDER
        if self.editor.placeholder != waits:
            self.editor.placeholder = waits

    def code_blocks(self) -> dict[int, str]:
        """The code blocks of the conversation by their numbers."""
        transcript = self.transcript
        blocks = {number: transcript.code_block(number) for number in range(1, transcript.code_count + 1)}
        return {number: text for number, text in blocks.items() if text is not None}

    # ---- status and title

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
        """Name of the loaded model, for the title; empty without one."""
        self._model = clean(name)
        self._draw_title()

    def set_rate(self, tok_s: float | None, *, exact: bool = True) -> None:
        """Tokens per second, for the title; marked where they are not counted but estimated."""
        if (tok_s, exact) != (self._rate, self._exact):
            before = (rate(self._rate) if self._rate else "", self._exact)
            self._rate, self._exact = tok_s, exact
            if before != (rate(tok_s) if tok_s else "", exact):
                self._draw_title()

    def _draw_title(self) -> None:
        """Name on the left of the upper border, rate on the right; the border's own line between them."""
        frame, glyphs = self.query_one("#talk"), self.query_one(PromptSign).glyphs
        room = self.size.width - 6
        words = f"{'' if self._exact else ABOUT}{rate(self._rate)}" if self._rate else ""
        name = (
            self._model if self._model and room < 44 else f"{TITLE} {glyphs.dot} {self._model}".rstrip(f" {glyphs.dot}")
        )
        if not words or room < 24:
            frame.border_title = Content(fit(name, min(cell_len(name), max(1, room)), glyphs.ellipsis))
            return
        name = fit(name, min(cell_len(name), room - cell_len(words) - 4), glyphs.ellipsis)
        rule = glyphs.rule * (room - cell_len(name) - cell_len(words) - 2)
        color = "$border" if frame.has_class("-on") else "$frame"
        frame.border_title = Content.assemble(name, " ", (rule, color), " ", (words, "$muted"))

    def on_descendant_focus(self) -> None:
        self._focus_moved()

    def on_descendant_blur(self) -> None:
        self._focus_moved()

    def _focus_moved(self) -> None:
        """Light the frame that has the focus."""
        for part in self.query("#talk, #ask"):
            part.set_class(part.has_focus_within, "-on")
        self._draw_title()
        self.query_one(PromptSign).refresh()

    # ---- messages

    def show_messages(self, messages: Sequence[Message]) -> None:
        """Show a conversation from its beginning."""
        from tui.app.panels.chat.stored import transcribed

        self.transcript.set_messages([transcribed(message) for message in messages])
        if messages:
            self.editor.set_history(message.content for message in messages if message.role == "user")

    def add_message(self, message: Message) -> None:
        """Show one more message."""
        from tui.app.panels.chat.stored import transcribed

        self.transcript.add_message(transcribed(message))

    def begin_answer(self, message: Message) -> None:
        """An answer begins to stream; its text comes through `transcript.append`."""
        from tui.app.panels.chat.stored import version

        self.set_rate(None)
        self.transcript.begin_answer(str(message.id), message.model, version(message))
        self.transcript.append(message.thinking, "thinking")
        self.transcript.append(message.content)

    def end_answer(self, message: Message, note: str = "") -> None:
        """The answer is over; `note` is said instead of what is stored about that."""
        from tui.app.panels.chat.stored import answer_note, failed

        self.transcript.end_answer(note or answer_note(message), failed=failed(message))

    # ---- an engine that stopped

    def show_crash(self, crash: Crash, keys: tuple[str, str, str]) -> None:
        """Tell of an engine that stopped. The focus goes to the card's keys unless something is being written."""
        self.clear_crash()
        self.crash = crash
        self.transcript.add_card("the engine stopped", crash.lines(*keys), key=CARD)
        if not (self.writing and self.editor.text.strip()):
            self.transcript.focus()

    def clear_crash(self) -> None:
        """The card is not needed any more."""
        if self.crash is not None:
            self.crash = None
            self.transcript.remove_message(CARD)
