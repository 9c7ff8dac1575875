"""The turns of one pane: what waits to be sent there, and the answer that is being written."""

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
    from tui.app.pane import Pane
    from tui.app.talk import Talk
    from tui.chat.thread import AsyncStore
    from tui.chat.turn import AnswerEngine, TurnOptions
    from tui.chat.values import Message as Stored
    from tui.llama.settings import SamplingSettings

STOP_S = 1.5
"""How long a running answer may take to end when the program does."""


@dataclass
class TurnEnded(Message):
    """An answer is over."""

    pane: Pane
    failed: bool = False
    unsent: str = ""
    """A prompt that could not be stored, so nothing was asked."""


class Turns:
    """What is sent before history and settings are read, or while an answer is being written, waits for its turn."""

    def __init__(self, desk: Desk, pane: Pane) -> None:
        self._desk, self._pane = desk, pane
        self._waiting: deque[tuple[str, Stored | None]] = deque()
        self._turning = self._stopped = False
        self.idle = asyncio.Event()
        """Set while nothing is being answered."""
        self.idle.set()
        self.talk: Talk | None = None
        """The conversation; there once the history is open."""

    @property
    def busy(self) -> bool:
        """True while a turn runs."""
        return self._turning or (self.talk is not None and self.talk.busy)

    @property
    def waiting(self) -> int:
        """Prompts that wait to be sent."""
        return len(self._waiting)

    @property
    def unsent(self) -> tuple[str, ...]:
        """The words of the prompts that wait; the files that they mention are read again when they are sent."""
        from tui.chat.attachments import parted

        return tuple(parted(text)[0] for text, _ in self._waiting)

    @property
    def kept_tokens(self) -> int:
        """Tokens of the answer that an engine was writing when it stopped."""
        return self.talk.kept_tokens if self.talk is not None else 0

    def begin(self, store: AsyncStore, system: str) -> None:
        """The history is open: a conversation can be kept there."""
        from tui.app.talk import Talk

        desk, pane = self._desk, self._pane

        self.talk = Talk(
            store, pane.view, desk.ticker, desk.tell, system=system,
            answered=partial(desk.loading.answered, pane),
        )  # fmt: skip

    @property
    def has_answers(self) -> bool:
        """True when the conversation that is shown has an answer."""
        return self.talk is not None and any(one.role == "assistant" for one in self.talk.session.messages)

    def submit(self, text: str, edited: Stored | None = None) -> None:
        """Have a prompt answered when those before it have been, as a new version of `edited` if there is one."""
        self._waiting.append((text, edited))

    def go_on(self) -> None:
        """Send what has waited longest, once all that it needs is there; a model is loaded for it when none is."""
        desk = self._desk
        known = desk.settings is not None and desk.bench.library.known
        if self._waiting and self.talk is not None and known and not self.busy:
            if self._have_model():
                text, edited = self._waiting.popleft()
                desk.bench.view = "chat"
                with_ = self._with()
                turn = partial(self.talk.send if edited is None else partial(self.talk.edit, edited.id), text, *with_)
                self._run(self._where_there_is_room(text, edited, turn), "answer a prompt", text)
            else:
                self._give_back()

    def ended(self, event: TurnEnded) -> None:
        """After a failure or a stop, the person decides about what else was to be sent."""
        self._turning = False
        self.idle.set()
        if event.failed or self._stopped:
            self._give_back(event.unsent)

    def again(self, *, begin: str = "") -> None:
        """Have the last question answered once more; `begin` is how that answer begins."""
        if self.talk is not None and not self.busy and self.talk.can_answer_again and self._have_model():
            engine, sampling, options = self._with()
            self._run(self.talk.again(engine, sampling, replace(options, begin=begin)), "answer again", "")

    def go_on_writing(self) -> None:
        """Have the last answer gone on with where it stopped."""
        if self.talk is not None and not self.busy and self.talk.can_go_on and self._have_model():
            self._run(self.talk.go_on(*self._with()), "go on with an answer", "")

    def stop(self) -> None:
        """End the running answer; what there is stays."""
        if self.talk is not None:
            self._stopped = True
            self.talk.stop()

    async def close(self) -> None:
        """End the running answer, and wait until it is stored."""
        if self.talk is not None and self.talk.busy:
            self.stop()
            workers = [worker for worker in self._desk.app.workers if worker.group == self._group]
            waits = [asyncio.ensure_future(worker.wait()) for worker in workers if not worker.is_finished]
            if waits:
                await asyncio.wait(waits, timeout=STOP_S)
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)

    # ---- inside

    @property
    def _group(self) -> str:
        return f"answer{self._pane.number or ''}"

    async def _where_there_is_room(
        self, text: str, edited: Stored | None, turn: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """A turn, unless its answer would have no room in the context: then what to do is asked instead."""
        await self._pane.states.settled()
        if await self._desk.context.check(self._pane, text, edited):
            await turn()

    def _with(self) -> tuple[AnswerEngine, SamplingSettings, TurnOptions]:
        """What a turn is made with."""
        pane, chatting = self._pane, self._desk.chatting
        assert pane.place is not None
        engine = pane.place.engines.expected(pane.label if self._desk.panes.split else "")
        return engine, chatting.sampling(pane), chatting.options(pane)

    def _give_back(self, *first: str) -> None:
        """What was not sent returns to the editor, before what was written there meanwhile."""
        from tui.chat.attachments import parted

        unsent = [text for text in (*(parted(text)[0] for text in first), *self.unsent) if text]
        self._waiting.clear()
        text, written = "\n".join(unsent), f"{self._desk.bench.chat.editor.text}\n"
        if unsent and not (self._desk.panes.split and written.startswith(f"{text}\n")):  # the other pane gave it back
            self._desk.bench.chat.give_back(text)

    def _have_model(self) -> bool:
        """True when a model is loaded or on its way; the pane's own or the selected one is loaded when not."""
        desk, pane = self._desk, self._pane
        if pane.ready or pane.loading:
            return True
        model = pane.model or desk.bench.library.selected
        if model is None or model.problem:
            words = (
                f"{clean(model.name)} cannot be loaded: {clean(model.problem or '')}"
                if model
                else "there is no model yet"
            )
            desk.tell(f"Nothing can answer: {words}. The library says what to do.", "warning")
            desk.bench.view = "library"
            return False
        desk.loading.load(model, pane.wished, pane=pane)
        return True

    def _run(self, turn: Coroutine[Any, Any, None], description: str, text: str) -> None:
        self._turning, self._stopped = True, False
        self.idle.clear()
        self._desk.app.run_worker(
            self._guarded(turn, text), group=self._group, description=description, exclusive=True, exit_on_error=False
        )
        self._desk.refresh_keys()

    async def _guarded(self, turn: Coroutine[Any, Any, None], text: str) -> None:
        """One turn. What the engine could not do is told; text that could not be stored goes back to the editor."""
        from tui.app.flows.context import ContextFull
        from tui.app.speech import Told
        from tui.chat.errors import ChatError
        from tui.engine.errors import EngineError

        desk, ended = self._desk, TurnEnded(self._pane)
        try:
            await turn
        except EngineError as error:
            ended.failed = True
            if error.kind == "context" and self._pane.n_ctx:
                desk.app.post_message(ContextFull(self._pane, "", self._pane.n_ctx, self._pane.n_ctx))
            if error.kind not in ("died", "cancelled", "load", "settings"):  # those are told where they happen
                desk.app.post_message(Told(f"{error}. {error.hint}", "warning"))
        except ChatError as error:
            ended = TurnEnded(self._pane, failed=True, unsent=text)
            desk.app.post_message(Told(str(error), "error"))
        except BaseException:
            ended.failed = True
            raise
        finally:
            desk.app.post_message(ended)
