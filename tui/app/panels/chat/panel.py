"""The chat panel: one conversation, or two side by side, and the prompt below them. It shows what it is told; it knows
no engine and no store.

The prompt and the frame of one pane are part of the first frame; what is in the pane joins them right after, by `fill`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.message import Message
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.panels.chat.editor import PromptEditor
from tui.app.panels.chat.pane import ChatPane
from tui.app.text import clean, plural

if TYPE_CHECKING:
    from tui.app.panels.chat.aim import Aim
    from tui.app.panels.chat.crash import Crash
    from tui.app.panels.chat.state import Status
    from tui.app.panels.chat.transcript import Transcript

PLACEHOLDER = "Write here"
MOST_ROWS = 8
"""Rows that the prompt grows to, in a screen that is four times as high."""
SIDE_BY_SIDE = 84
"""Columns from which on two panes stand beside each other; below they stand on each other."""
STACKED_ROWS = 12
"""Rows from which on two panes have room on each other; below only the chosen one is shown."""


class PromptSign(Drawn):
    """The sign before the prompt; bright while letters go there."""

    def render_line(self, y: int) -> Strip:
        ready = isinstance(self.parent, Horizontal) and self.parent.has_focus_within
        sign = f" {self.glyphs.prompt} " if y == 0 else ""
        return self.line([Segment(sign, self.pen("accent" if ready else "faint", "bold" if ready else ""))])


class ChatPanel(Vertical):
    """The panel."""

    class Chosen(Message):
        """The focus has come to another pane."""

        def __init__(self, pane: ChatPane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self) -> None:
        super().__init__(id="chat")
        self.pane = ChatPane()
        """The pane that keys are about."""
        self.panes: tuple[ChatPane, ...] = (self.pane,)
        """One or two, in the order in which they stand."""
        self._aim: Aim | None = None

    def compose(self) -> ComposeResult:
        with Container(id="talk"):
            yield self.pane
        with Horizontal(id="ask"):
            yield PromptSign(id="sign")
            yield PromptEditor(id="prompt", placeholder=PLACEHOLDER)

    async def fill(self) -> None:
        """Mount what the first frame does without. Everything but the prompt needs this to have happened."""
        from textual.widgets import Static

        await self.pane.fill()
        attached = Static(id="attached")
        attached.display = False
        await self.mount(attached, before="#ask")

    def on_resize(self, _event: events.Resize) -> None:
        self.editor.max_rows = max(1, min(MOST_ROWS, self.app.size.height // 4))
        self.call_after_refresh(self._arrange)

    # ---- one pane or two

    async def split(self) -> ChatPane:
        """Open a second pane beside the first."""
        from tui.app.panels.chat.aim import Aim

        pane = ChatPane()
        self.panes = (*self.panes, pane)
        self._aim = Aim(id="aim")
        await self.query_one("#talk").mount(pane)
        await self.query_one("#ask").mount(self._aim)
        await pane.fill()
        self._arrange()
        return pane

    async def join(self, gone: ChatPane) -> None:
        """Close one of two panes."""
        self.panes = tuple(pane for pane in self.panes if pane is not gone)
        self.pane = self.panes[0]
        await gone.remove()
        if self._aim is not None:
            await self._aim.remove()
            self._aim = None
        self._arrange()
        self.pane.choose(None)
        self.pane.set_notes(figures="")

    def choose(self, pane: ChatPane) -> None:
        """Keys are about this pane from now on."""
        self.pane = pane
        for one in self.panes:
            one.choose((one is pane) if len(self.panes) > 1 else None)
        self.editor.set_history(pane.written)
        self._arrange()

    @property
    def beside(self) -> bool:
        """True where two panes stand side by side, not on each other."""
        return self.size.width >= SIDE_BY_SIDE

    def swap(self) -> None:
        """Have two panes change their places."""
        if len(self.panes) > 1:
            self.panes = self.panes[::-1]
            self.query_one("#talk").move_child(self.panes[0], before=0)

    def aim(self, words: str) -> None:
        """Say beside the prompt where it goes, while there are two panes."""
        if self._aim is not None:
            self._aim.set_words(words)

    def _arrange(self) -> None:
        """Side by side where there is room, else on each other; where there is none for that either, one of them."""
        frame = self.query_one("#talk")
        two, wide = len(self.panes) > 1, self.beside
        frame.set_class(two and wide, "-beside")
        for pane in self.panes:
            pane.display = not two or wide or pane is self.pane or frame.size.height >= STACKED_ROWS

    # ---- parts

    @property
    def transcript(self) -> Transcript:
        """The messages of the pane that keys are about."""
        return self.pane.transcript

    @property
    def status(self) -> Status:
        """What its status line says."""
        return self.pane.status

    @property
    def crash(self) -> Crash | None:
        """What its card tells, while there is one."""
        return self.pane.crash

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

    def set_attached(self, words: str) -> None:
        """What goes along with the prompt, on a line above it that is there only then."""
        from textual.content import Content
        from textual.widgets import Static

        line = self.query_one("#attached", Static)
        line.update(Content(clean(words)))
        line.display = bool(words)

    def show_waiting(self, count: int) -> None:
        """Say how many prompts wait to be sent, where the next one is written."""
        waits = f"{plural(count, 'prompt waits', 'prompts wait')} to be sent" if count else PLACEHOLDER
        if self.editor.placeholder != waits:
            self.editor.placeholder = waits

    def show_crash(self, pane: ChatPane, crash: Crash, keys: tuple[str, str, str]) -> None:
        """Tell of an engine that stopped. The focus goes to the card's keys unless something is being written."""
        pane.show_crash(crash, keys)
        if pane is self.pane and not (self.writing and self.editor.text.strip()):
            pane.transcript.focus()

    # ---- what the panes tell

    def on_chat_pane_opened(self, event: ChatPane.Opened) -> None:
        """What was written in a conversation is at hand in the prompt."""
        if event.pane is self.pane:
            self.editor.set_history(event.pane.written)

    def on_descendant_focus(self) -> None:
        self._focus_moved()

    def on_descendant_blur(self) -> None:
        self._focus_moved()

    def _focus_moved(self) -> None:
        """Light the frame that has the focus."""
        for part in (*self.panes, self.query_one("#ask")):
            part.set_class(part.has_focus_within, "-on")
        for pane in self.panes:
            pane.draw_title()
            if pane.has_focus_within and pane is not self.pane:
                self.post_message(self.Chosen(pane))
        self.query_one(PromptSign).refresh()
