"""The turns of one pane: what waits to be sent there, and the answer that is being written."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from textual.message import Message

from tui.app.text import clean, sentence

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from tui.app.desk import Desk
    from tui.app.pane import Pane
    from tui.app.talk import Talk
    from tui.chat.thread import AsyncStore
    from tui.chat.turn import AnswerEngine, Generation, TurnOptions
    from tui.chat.values import Message as Stored
    from tui.llama.settings import SamplingSettings

    Means = tuple[AnswerEngine, SamplingSettings, TurnOptions]
    """What a turn is made with."""

BUSY = "An answer is being written. Stop it first, or wait for its end."
"""Why something has to wait."""
STOP_S = 1.5
"""How long a running answer may take to end when the program does."""


Way = Literal["drop", "summarise", "send"]


@dataclass(frozen=True, slots=True)
class Room:
    """How a turn that does not fit is made to, as the person chose."""

    way: Way
    drop: int = 0
    """How many of the oldest turns are not sent from now on."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Words that are to be answered."""

    text: str
    edited: Stored | None = None
    """The message in whose place they are sent."""
    room: Room | None = None
    """None where it is asked, should there be none."""


@dataclass
class TurnEnded(Message):
    """An answer is over."""

    pane: Pane
    failed: bool = False
    unsent: Prompt | None = None
    """Words that were not stored, so nothing was asked."""


class Turns:
    """What is sent before history and settings are read, or while an answer is being written, waits for its turn."""

    def __init__(self, desk: Desk, pane: Pane) -> None:
        self._desk, self._pane = desk, pane
        self._waiting: deque[Prompt] = deque()
        self._turning = False
        self.stopped = False
        """Whether the turn that runs, or ran last, was told to end."""
        self._aside: Generation | None = None
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

        return tuple(parted(prompt.text)[0] for prompt in self._waiting)

    @property
    def kept_tokens(self) -> int:
        """Tokens of the answer that an engine was writing when it stopped."""
        return self.talk.kept_tokens if self.talk is not None else 0

    def begin(self, store: AsyncStore, system: str) -> None:
        """The history is open: a conversation can be kept there."""
        from tui.app.talk import Talk
        from tui.chat.images import Images

        desk, pane = self._desk, self._pane
        pane.view.images = Images.beside(store.path) if store.path is not None else None

        self.talk = Talk(
            store, pane.view, desk.ticker, desk.tell, system=system,
            answered=partial(desk.loading.answered, pane),
        )  # fmt: skip

    @property
    def has_answers(self) -> bool:
        """True when the conversation that is shown has an answer."""
        return self.talk is not None and any(one.role == "assistant" for one in self.talk.session.messages)

    def submit(self, prompt: Prompt) -> None:
        """Have a prompt answered when those before it have been."""
        self._waiting.append(prompt)

    def go_on(self) -> None:
        """Send what has waited longest, once all that it needs is there; a model is loaded for it when none is."""
        desk = self._desk
        known = desk.settings is not None and desk.bench.library.known
        if self._waiting and self.talk is not None and known and not self.busy:
            if self._have_model():
                prompt = self._waiting.popleft()
                desk.bench.view = "chat"
                ended = TurnEnded(self._pane, unsent=prompt)
                self._run(self._send(self.talk, prompt, ended, self._with()), "answer a prompt", ended)
            else:
                self._give_back()

    def ended(self, event: TurnEnded) -> None:
        """After a failure or a stop, the person decides about what else was to be sent."""
        self._turning = False
        self.idle.set()
        if event.failed or self.stopped:
            self._give_back(event.unsent)

    def again(self, *, begin: str = "", room: Room | None = None) -> None:
        """Have the last question answered once more; `begin` is how that answer begins."""
        if self.talk is not None and not self.busy and self.talk.can_answer_again and self._have_model():
            self._run(self._again(self.talk, begin, room, self._with()), "answer again")

    def go_on_writing(self) -> None:
        """Have the last answer gone on with where it stopped."""
        if self.talk is not None and not self.busy and self.talk.can_go_on and self._have_model():
            self._run(self._go_on(self.talk, self._with()), "go on with an answer")

    async def _go_on(self, talk: Talk, with_: Means) -> None:
        """That the model ends the answer at once is told: nothing is seen of it."""
        before = talk.last_answer
        await talk.go_on(*with_)
        after = talk.last_answer
        if before and after and after.reason == "eog" and after.content == before.content:
            self._desk.tell("The model has nothing to add to this answer.")

    def do(self, work: Coroutine[Any, Any, None], description: str) -> None:
        """Do something else with the pane's engine. Prompts wait meanwhile; nothing else may run here."""
        self._run(work, description)

    async def written(self, generation: Generation) -> str:
        """What a model writes that is no part of the conversation; `stop` ends it early. Raises EngineError."""
        from tui.engine.protocol import Delta

        self._aside = generation
        try:
            text = [event.text async for event in generation if isinstance(event, Delta) and event.channel == "answer"]
        finally:
            self._aside = None
        return "".join(text).strip()

    def stop(self) -> None:
        """End the running answer; what there is stays."""
        if self.talk is not None:
            self.stopped = True
            self.talk.stop()
        if self._aside is not None:
            self._aside.cancel()

    async def close(self) -> None:
        """End the running answer, and wait until it is stored."""
        if self.busy:
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

    async def _send(self, talk: Talk, prompt: Prompt, ended: TurnEnded, with_: Means) -> None:
        """A turn, unless its answer would have no room in the context: then what to do is asked instead."""
        desk, pane = self._desk, self._pane
        await pane.states.settled()
        if prompt.room is not None:
            await desk.room.make(pane, prompt.room, prompt)
        elif not await desk.context.check(pane, prompt):
            ended.unsent = None  # the words are in the editor again, and what to do is asked
            return
        if not self.stopped:
            shown, session = talk.session.messages, talk.session
            try:
                if prompt.edited is None:
                    await talk.send(prompt.text, *with_)
                else:
                    await talk.edit(prompt.edited.id, prompt.text, *with_)
            finally:
                if session.messages is not shown:
                    ended.unsent = None

    async def _again(self, talk: Talk, begin: str, room: Room | None, with_: Means) -> None:
        if room is None or await self._desk.room.make(self._pane, room):
            engine, sampling, options = with_
            await talk.again(engine, sampling, replace(options, begin=begin))

    def _with(self) -> Means:
        """What a turn is made with."""
        pane, chatting = self._pane, self._desk.chatting
        assert pane.place is not None
        engine = pane.place.engines.expected(pane.label if self._desk.panes.split else "")
        return engine, chatting.sampling(pane), chatting.options(pane)

    def _give_back(self, first: Prompt | None = None) -> None:
        """What was not sent returns to the editor, before what was written there meanwhile."""
        prompts = (*((first,) if first is not None else ()), *self._waiting)
        self._waiting.clear()
        self._desk.chatting.give_back(prompts)

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

    def _run(self, turn: Coroutine[Any, Any, None], description: str, ended: TurnEnded | None = None) -> None:
        self._turning, self.stopped = True, False
        self.idle.clear()
        self._desk.app.run_worker(
            self._guarded(turn, ended or TurnEnded(self._pane)),
            group=self._group,
            description=description,
            exclusive=True,
            exit_on_error=False,
        )
        self._desk.refresh_keys()

    async def _guarded(self, turn: Coroutine[Any, Any, None], ended: TurnEnded) -> None:
        """One turn. What the engine could not do is told."""
        from tui.app.speech import Told
        from tui.chat.errors import ChatError
        from tui.engine.errors import EngineError

        desk = self._desk
        try:
            await turn
        except EngineError as error:
            ended.failed = True
            if error.kind == "context":
                await desk.context.full(self._pane)
            if error.kind not in ("died", "cancelled", "load", "settings"):  # those are told where they happen
                desk.app.post_message(Told(f"{sentence(str(error))} {sentence(error.hint)}".strip(), "warning"))
        except ChatError as error:
            ended.failed = True
            desk.app.post_message(Told(str(error), "error"))
        except BaseException:
            ended.failed = True
            raise
        finally:
            desk.app.post_message(ended)
