"""From a typed prompt to stored answers: which panes it goes to, and how answers are drawn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.app.asking import Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.app.asking import TurnEnded
    from tui.app.desk import Desk
    from tui.app.pane import Pane
    from tui.app.talk import Talk
    from tui.chat.thread import AsyncStore
    from tui.chat.turn import TurnOptions
    from tui.llama.settings import SamplingSettings


class ChatFlow:
    """Sends prompts to the panes. What is asked of it by a key is about the chosen pane."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store: AsyncStore | None = None
        self._system = ""

    @property
    def talk(self) -> Talk | None:
        """The chosen pane's conversation; there once the history is open."""
        return self._desk.panes.chosen.turns.talk

    @property
    def busy(self) -> bool:
        """True while an answer is being written in the chosen pane."""
        return self._desk.panes.chosen.turns.busy

    @property
    def unsent(self) -> tuple[str, ...]:
        """The words of the prompts that wait for their turn, in one pane or in both."""
        return tuple(dict.fromkeys(text for pane in self._desk.panes for text in pane.turns.unsent))

    @property
    def any_busy(self) -> bool:
        """True while an answer is being written anywhere."""
        return any(pane.turns.busy for pane in self._desk.panes)

    @property
    def writing(self) -> Talk | None:
        """A conversation in which an answer is being written."""
        return next((pane.turns.talk for pane in self._desk.panes if pane.turns.busy), None)

    def begin(self, store: AsyncStore) -> None:
        """The history is open: conversations can be kept there."""
        self._store = store
        for pane in self._desk.panes:
            self.begin_in(pane)

    def begin_in(self, pane: Pane) -> None:
        """A pane has a conversation from now on, if there is a history to keep it in."""
        if self._store is not None:
            pane.turns.begin(self._store, self._system)

    def go_on(self) -> None:
        """Send what has waited longest in each pane. Those whose model is in memory come first: another one may have
        to wait for them."""
        panes = sorted(self._desk.panes, key=lambda pane: not pane.ready)
        for pane in panes:
            pane.turns.go_on()
        self._desk.bench.chat.show_waiting(sum(pane.turns.waiting for pane in panes))

    def submit(self, text: str) -> None:
        """Have a prompt answered, now or when those before it have been; one that cannot be returns to the editor."""
        if text.strip():
            taken = self._desk.branches.take()
            if taken is not None:
                edited, pane = taken
                pane.turns.submit(Prompt(text, edited))
            else:
                aimed = self._desk.panes.aimed
                if len(aimed) > 1:
                    self._desk.votes.asked()
                for pane in aimed:
                    pane.turns.submit(Prompt(text))
            self.go_on()

    def give_back(self, prompts: Sequence[Prompt]) -> None:
        """Words that were not sent return to the editor, before what was written there meanwhile; a message that was
        being edited is one that is edited again."""
        from tui.chat.attachments import parted

        chat = self._desk.bench.chat
        text = "\n".join(words for prompt in prompts if (words := parted(prompt.text)[0]))
        if text and not (self._desk.panes.split and f"{chat.editor.text}\n".startswith(f"{text}\n")):
            chat.give_back(text)  # unless the other pane did
        edited = next((prompt.edited for prompt in prompts if prompt.edited is not None), None)
        if edited is not None:
            self._desk.branches.resume(edited)

    def take_out(self, prompt: Prompt) -> None:
        """Words that were given back are sent after all: they leave the editor, what was written meanwhile stays."""
        from tui.chat.attachments import parted

        words, editor = f"{parted(prompt.text)[0]}\n", self._desk.bench.chat.editor
        self._desk.branches.resume(None)
        if f"{editor.text}\n".startswith(words):
            editor.text = editor.text[len(words) :]

    def on_turn_ended(self, event: TurnEnded) -> None:
        """The next prompt is sent."""
        event.pane.turns.ended(event)
        self.go_on()
        self._desk.refresh_keys()

    def again(self, *, begin: str = "") -> None:
        """Have the last question answered once more; `begin` is how that answer begins."""
        self._desk.panes.chosen.turns.again(begin=begin)

    def go_on_writing(self) -> None:
        """Have the last answer gone on with where it stopped."""
        self._desk.panes.chosen.turns.go_on_writing()

    def switch_thinking(self) -> None:
        """Have the chosen pane's model think before it answers, or not; the template's own way is the third."""
        pane, panes = self._desk.panes.chosen, self._desk.panes
        pane.think = {None: False, False: True, True: None}[pane.think]
        words = {None: "as it usually does", False: "without thinking", True: "after thinking"}[pane.think]
        where = f" in the {panes.side(pane)} pane" if panes.split else ""
        pane.view.set_model(panes.title(pane, loaded=pane.ready))
        self._desk.tell(f"The model answers {words}{where} from now on.")

    def set_system(self, system: str) -> None:
        """System prompt of new conversations."""
        self._system = system
        for pane in self._desk.panes:
            if pane.turns.talk is not None:
                pane.turns.talk.set_system(system)

    def stop(self) -> None:
        """End the running answers; what there is stays."""
        for pane in self._desk.panes:
            pane.turns.stop()

    def new(self) -> None:
        """Begin an empty conversation."""
        if self.talk is not None and not self.busy:
            self._desk.drafts.leave()
            self.leave(self._desk.panes.chosen)
            self._desk.bench.go("chat")

    def leave(self, pane: Pane) -> None:
        """Show nothing of the conversation in a pane any more."""
        if pane.turns.talk is not None:
            pane.turns.talk.new()
            pane.states.shown()
            self._desk.show_hint()

    def context_changed(self, pane: Pane, n_ctx: int) -> None:
        """Another model is in memory for a pane, or none (0)."""
        if pane.turns.talk is not None:
            pane.turns.talk.set_context(n_ctx)
            self.recount(pane)

    def recount(self, pane: Pane | None = None) -> None:
        """Count what the conversation that is shown, in the chosen pane if not told, takes of the context."""
        pane = pane or self._desk.panes.chosen
        self._desk.app.run_worker(
            self._desk.context.recount(pane), group=f"recount{pane.number}", description="count the conversation",
            exclusive=True, exit_on_error=False,
        )  # fmt: skip

    async def close(self) -> None:
        """End the running answers, and wait until they are stored."""
        await asyncio.gather(*(pane.turns.close() for pane in self._desk.panes))

    # ---- how answers are drawn

    def sampling(self, pane: Pane) -> SamplingSettings:
        """The person's settings, and over them what differs in a pane."""
        from tui.llama.settings import SettingsError
        from tui.models.wishes import sampling

        settings = self._desk.settings
        assert settings is not None
        try:
            return sampling({**self._desk.presets.sampling(pane), **pane.sampling}, settings.chat.sampling())
        except SettingsError as error:
            self._desk.tell(f"config.toml: chat.{error}; the default counts.", "warning")
            return sampling(pane.sampling, {})

    def options(self, pane: Pane) -> TurnOptions:
        """What else a turn in a pane is made with."""
        from tui.chat.turn import TurnOptions

        settings = self._desk.settings
        max_tokens = (settings.chat.max_tokens or None) if settings else None
        return TurnOptions(max_tokens=max_tokens, think=pane.think, pane=pane.sequence)
