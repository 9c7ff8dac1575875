"""From a typed prompt to a stored answer: what waits, which model answers, and the turn."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from tui.app.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tui.app.desk import Desk
    from tui.app.panels.chat.editor import PromptEditor
    from tui.app.talk import Talk
    from tui.chat.thread import AsyncStore
    from tui.chat.turn import TurnOptions
    from tui.chat.values import Message as Stored
    from tui.llama.settings import SamplingSettings


@dataclass
class TurnEnded(Message):
    """An answer is over."""

    failed: bool = False
    unsent: str = ""
    """A prompt that could not be stored, so nothing was asked."""


STOP_S = 1.5
"""How long a running answer may take to end when the program does."""


class ChatFlow:
    """Holds the conversation. What is sent before history and settings are read, or while an answer is being written,
    waits for its turn."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: deque[tuple[str, Stored | None]] = deque()
        self._turning = self._stopped = False
        self._think: bool | None = None
        self._system = ""
        self.talk: Talk | None = None
        """The conversation; there once the history is open."""

    @property
    def busy(self) -> bool:
        """True while a turn runs."""
        return self._turning or (self.talk is not None and self.talk.busy)

    @property
    def kept_tokens(self) -> int:
        """Tokens of the answer that an engine was writing when it stopped."""
        return self.talk.kept_tokens if self.talk is not None else 0

    def begin(self, store: AsyncStore) -> None:
        """The history is open: conversations can be kept there."""
        from tui.app.talk import Talk

        desk = self._desk
        self.talk = Talk(
            store, desk.bench.chat, desk.ticker, desk.tell, system=self._system, answered=desk.loading.answered
        )

    def go_on(self) -> None:
        """Send what has waited longest, once all that it needs is there; a model is loaded for it when none is."""
        desk = self._desk
        known = desk.settings is not None and desk.bench.library.known
        if self._waiting and self.talk is not None and known and not self.busy:
            if self._have_model():
                text, edited = self._waiting.popleft()
                desk.bench.view = "chat"
                with_ = (desk.loading.engines.expected(), self._sampling(), self._options())
                turn = partial(self.talk.send if edited is None else partial(self.talk.edit, edited.id), text, *with_)
                self._run(self._where_there_is_room(self.talk, text, turn), "answer a prompt", text)
            else:
                self._give_back()
        desk.bench.chat.show_waiting(len(self._waiting))

    def on_prompt_editor_submitted(self, event: PromptEditor.Submitted) -> None:
        """A prompt was sent."""
        self.submit(event.text)

    def submit(self, text: str) -> None:
        """Have a prompt answered, now or when those before it have been; one that cannot be returns to the editor."""
        if text.strip():
            self._waiting.append((text, self._desk.branches.take()))
            self.go_on()

    def on_turn_ended(self, event: TurnEnded) -> None:
        """The next prompt is sent; after a failure or a stop, the person decides about it."""
        self._turning = False
        if event.failed or self._stopped:
            self._give_back(event.unsent)
        self.go_on()
        self._desk.refresh_keys()

    def _give_back(self, *first: str) -> None:
        """What was not sent returns to the editor, before what was written there meanwhile."""
        unsent = [text for text in (*first, *(text for text, _ in self._waiting)) if text]
        self._waiting.clear()
        if unsent:
            self._desk.bench.chat.give_back("\n".join(unsent))

    def again(self, *, begin: str = "") -> None:
        """Have the last question answered once more; `begin` is how that answer begins."""
        if self.talk is not None and not self.busy and self.talk.can_answer_again and self._have_model():
            engine = self._desk.loading.engines.expected()
            options = replace(self._options(), begin=begin)
            self._run(self.talk.again(engine, self._sampling(), options), "answer again", "")

    def go_on_writing(self) -> None:
        """Have the last answer gone on with where it stopped."""
        if self.talk is not None and not self.busy and self.talk.can_go_on and self._have_model():
            engine = self._desk.loading.engines.expected()
            self._run(self.talk.go_on(engine, self._sampling(), self._options()), "go on with an answer", "")

    def switch_thinking(self) -> None:
        """Have the model think before it answers, or not; the template's own way is the third."""
        self._think = {None: False, False: True, True: None}[self._think]
        words = {None: "as it usually does", False: "without thinking", True: "after thinking"}[self._think]
        self._desk.tell(f"The model answers {words} from now on.")

    def set_system(self, system: str) -> None:
        """System prompt of new conversations."""
        self._system = system
        if self.talk is not None:
            self.talk.set_system(system)

    def stop(self) -> None:
        """End the running answer; what there is stays."""
        if self.talk is not None:
            self._stopped = True
            self.talk.stop()

    def new(self) -> None:
        """Begin an empty conversation."""
        if self.talk is not None and not self.busy:
            self.talk.new()
            self._desk.states.shown()
            self._desk.show_hint()
            self._desk.bench.go("chat")

    def context_changed(self, n_ctx: int) -> None:
        """Another model is in memory, or none."""
        if self.talk is not None:
            self.talk.set_context(n_ctx)
            self.recount()

    def recount(self) -> None:
        """Count what the conversation that is shown takes of the context."""
        self._desk.app.run_worker(
            self._desk.context.recount(), group="recount", description="count the conversation", exclusive=True,
            exit_on_error=False,
        )  # fmt: skip

    @property
    def has_answers(self) -> bool:
        """True when the conversation that is shown has an answer."""
        return self.talk is not None and any(one.role == "assistant" for one in self.talk.session.messages)

    def taken_up(self, tokens: int) -> None:
        """The context holds the conversation that is shown again."""
        if self.talk is not None:
            self.talk.set_used(tokens)

    async def close(self) -> None:
        """End the running answer, and wait until it is stored."""
        if self.talk is not None and self.talk.busy:
            self.talk.stop()
            workers = [
                worker for worker in self._desk.app.workers if worker.group == "answer" and not worker.is_finished
            ]
            waits = [asyncio.ensure_future(worker.wait()) for worker in workers]
            if waits:
                await asyncio.wait(waits, timeout=STOP_S)
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)

    # ---- inside

    def _have_model(self) -> bool:
        """True when a model is loaded or on its way; the selected one is loaded when not."""
        desk = self._desk
        if desk.loading.ready or desk.loading.loading:
            return True
        model = desk.bench.library.selected
        if model is None or model.problem:
            words = (
                f"{clean(model.name)} cannot be loaded: {clean(model.problem or '')}"
                if model
                else "there is no model yet"
            )
            desk.tell(f"Nothing can answer: {words}. The library says what to do.", "warning")
            desk.bench.view = "library"
            return False
        desk.loading.load(model)
        return True

    async def _where_there_is_room(self, talk: Talk, text: str, turn: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A turn, unless its answer would have no room in the context: then what to do is asked instead."""
        await self._desk.states.settled()
        if await self._desk.context.check(talk, text):
            await turn()

    def _run(self, turn: Coroutine[Any, Any, None], description: str, text: str) -> None:
        self._turning, self._stopped = True, False
        self._desk.app.run_worker(
            self._guarded(turn, text), group="answer", description=description, exclusive=True, exit_on_error=False
        )
        self._desk.refresh_keys()

    async def _guarded(self, turn: Coroutine[Any, Any, None], text: str) -> None:
        """One turn. What the engine could not do is told; text that could not be stored goes back to the editor."""
        from tui.app.desk import Told
        from tui.app.flows.context import ContextFull
        from tui.chat.errors import ChatError
        from tui.engine.errors import EngineError

        desk, ended = self._desk, TurnEnded()
        try:
            await turn
        except EngineError as error:
            ended.failed = True
            if error.kind == "context" and desk.loading.engine is not None:
                n_ctx = desk.loading.engine.receipt.n_ctx
                desk.app.post_message(ContextFull("", n_ctx, n_ctx))
            if error.kind not in ("died", "cancelled", "load", "settings"):  # those are told where they happen
                desk.app.post_message(Told(f"{error}. {error.hint}", "warning"))
        except ChatError as error:
            ended = TurnEnded(failed=True, unsent=text)
            desk.app.post_message(Told(str(error), "error"))
        except BaseException:
            ended.failed = True
            raise
        finally:
            desk.app.post_message(ended)

    def _sampling(self) -> SamplingSettings:
        from tui.llama.settings import SettingsError
        from tui.models.wishes import sampling

        settings = self._desk.settings
        assert settings is not None
        try:
            return sampling({}, settings.chat.sampling())
        except SettingsError as error:
            self._desk.tell(f"config.toml: chat.{error}; the default counts.", "warning")
            return sampling({}, {})

    def _options(self) -> TurnOptions:
        from tui.chat.turn import TurnOptions

        settings = self._desk.settings
        return TurnOptions(max_tokens=(settings.chat.max_tokens or None) if settings else None, think=self._think)
