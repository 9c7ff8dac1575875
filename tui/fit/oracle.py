"""Where a model would lie, asked of llama.cpp itself in a process of its own. Never imports llama_cpp; one asyncio
loop.

That process may be ended by any header. What cannot be had from it is an estimate with the reason, and what ended it
once is not asked again.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

import msgspec

from tui.fit import closed_form
from tui.fit.asked import asked_device, asked_devices, relevant
from tui.fit.dry_child import DryRunDied, Spawn
from tui.fit.dry_process import DryProcess, NoProcess
from tui.fit.extras import (
    NOTHING_BESIDE,
    Draft,
    Extras,
    Projector,
    adapter_tensors,
    added,
    draft_settings,
    projector_estimate,
    projector_laid_out,
    projector_place,
    with_adapters,
)
from tui.fit.questions import (
    Answered,
    KnownDevice,
    NotTried,
    ProjectorAnswered,
    ProjectorQuestion,
    Question,
    Reply,
    WasRefused,
)
from tui.fit.values import Machine, Prediction, Refused
from tui.gguf.stripped import StrippedHeader
from tui.llama.settings import LoadSettings
from tui.process.spawn import spawn as spawn_process

ANSWER_S = 20.0
"""Longest wait for one answer, which takes milliseconds; a model of a thousand layers takes a second."""
START_S = 60.0
"""Longest wait for a process to start: a cold disk reads llama.cpp for seconds."""
_KEPT_ANSWERS = 4096
REST_S = 60.0
"""How long a header that got no answer in time is not asked about: a busy machine is quiet again some day."""
_DEATHS_A_HEADER = 2
"""A header that ended this many processes and got no answer from any is not asked about again."""
_LOST = "the dry run lost its header"
_LISTINGS = 2
"""Processes that may give no list of their GPUs before no more are asked for one."""

Fallback = Callable[[LoadSettings, Machine], Prediction]


class Unanswered(Exception):
    """llama.cpp could not be asked and nobody else was there to answer; the text says why."""


class DryRun:
    """Asks llama.cpp. A process is started on first need, in the main thread, and another one when it has died."""

    def __init__(
        self,
        spawn: Spawn = spawn_process,
        *,
        answer_s: float = ANSWER_S,
        start_s: float = START_S,
        rest_s: float = REST_S,
    ) -> None:
        """Nothing is started yet."""
        self._process = DryProcess(spawn, start_s)
        self._answer_s, self._rest_s = answer_s, rest_s
        self._turn = asyncio.Lock()
        self._answers: OrderedDict[bytes, Reply] = OrderedDict()
        """What llama.cpp said, and what it ended over."""
        self._deaths: dict[str, int] = {}
        """Processes that a header ended, by its digest."""
        self._harmless: set[str] = set()
        """Digests of headers that were answered: not every setting ends llama.cpp with them."""
        self._resting: dict[str, tuple[float, str]] = {}
        """By digest: until when a header is not asked about, and why."""
        self._failed_listings = 0

    @property
    def pid(self) -> int | None:
        """The process id while one runs."""
        return self._process.pid

    async def predict(
        self,
        header: StrippedHeader,
        settings: LoadSettings,
        machine: Machine,
        fallback: Fallback | None = None,
        extras: Extras = NOTHING_BESIDE,
    ) -> Prediction:
        """What the model would occupy with `settings`, which name numbers (or all layers), never "auto", and what of
        `extras` they name.

        Where llama.cpp cannot be asked, `fallback` answers and `reason` says why; without one, Unanswered is raised.
        Raises Refused for what llama.cpp refuses. May be cancelled at any time. Call it in the main thread.
        """
        if settings.n_gpu_layers == "auto" or settings.n_ctx == "auto":
            raise ValueError("settings must be resolved before they are asked about")
        names = [device.name for device in machine.devices]
        if len(set(names)) < len(names):
            raise ValueError(f"every device needs a name of its own: {names}")
        beside = extras.named_by(settings)
        lora = tuple(adapter_tensors(adapter) for adapter in beside.lora)
        question = Question(0, header.digest, relevant(settings), asked_devices(settings, machine), lora)
        prediction = _of(await self._reply(question, header), settings, machine, fallback)
        if beside.lora:
            prediction = with_adapters(beside.lora, prediction)
        if beside.draft is not None:
            prediction = added(prediction, await self._draft(beside.draft, settings, machine), "draft model")
        if beside.projector is not None:
            prediction = added(prediction, await self._projector(beside.projector, settings, machine), "projector")
        return prediction

    async def _draft(self, draft: Draft, settings: LoadSettings, machine: Machine) -> Prediction:
        try:
            return await self.predict(
                draft.header, draft_settings(settings), machine, partial(closed_form.predict, draft.shape)
            )
        except Refused as refusal:
            raise Refused(f"draft_model: {refusal}") from refusal

    async def _projector(self, projector: Projector, settings: LoadSettings, machine: Machine) -> Prediction:
        place = projector_place(settings, machine)
        devices = (asked_device(machine.devices[place]),) if place is not None else ()
        reply = await self._reply(ProjectorQuestion(0, projector.header.digest, devices), projector.header)
        if isinstance(reply, WasRefused):
            raise Refused(f"mmproj: {reply.reason}")
        if isinstance(reply, ProjectorAnswered):
            return projector_laid_out(reply, projector, place, machine)
        why = reply.reason if isinstance(reply, NotTried) else _LOST
        return projector_estimate(projector, place, machine, f"what the projector computes with is reckoned: {why}")

    async def devices(self) -> tuple[KnownDevice, ...] | None:
        """The GPUs of the installed llama.cpp, in its order, with what is free now; None where it cannot be asked, so
        that nobody knows. Where only its answers about models are doubted, it still knows its GPUs.
        """
        await self._turn.acquire()
        return await asyncio.shield(asyncio.create_task(self._list_devices(), name="devices of the dry run"))

    async def release(self) -> None:
        """End the process, so that nothing of it is left on a GPU; the next question starts another."""
        async with self._turn:
            await self._process.end()

    async def close(self) -> None:
        """End the process for good, in the middle of a start or of a question, too; what is asked from now on is
        estimated. Safe to call twice.
        """
        self._process.close()
        await self.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _reply(self, question: Question | ProjectorQuestion, header: StrippedHeader) -> Reply:
        key = msgspec.msgpack.encode(question)
        known = self._known(key, header.digest)
        if known is not None:
            return known
        await self._turn.acquire()
        known = self._known(key, header.digest)  # the one before may have asked the same
        if known is not None:
            self._turn.release()
            return known
        # A question that was begun is seen to its end whoever waits, so that no answer is taken for another's.
        asking = asyncio.create_task(self._ask(key, question, header), name=f"dry run of {header.digest[:8]}")
        return await asyncio.shield(asking)

    def _known(self, key: bytes, digest: str) -> Reply | None:
        found = self._answers.get(key)
        if found is not None:
            self._answers.move_to_end(key)
            return found
        if self._process.doubt:
            return NotTried(0, self._process.doubt)
        if digest not in self._harmless and self._deaths.get(digest, 0) >= _DEATHS_A_HEADER:
            return NotTried(0, "this header ends llama.cpp with every setting that was tried")
        until, reason = self._resting.get(digest, (0.0, ""))
        return NotTried(0, reason) if time.monotonic() < until else None

    async def _ask(self, key: bytes, question: Question | ProjectorQuestion, header: StrippedHeader) -> Reply:
        """Holds the turn that the caller took."""
        try:
            reply, remember = await self._try_twice(question, header)
        finally:
            self._turn.release()
        if remember:
            self._answers[key] = reply
            while len(self._answers) > _KEPT_ANSWERS:
                self._answers.popitem(last=False)
        return reply

    async def _try_twice(self, question: Question | ProjectorQuestion, header: StrippedHeader) -> tuple[Reply, bool]:
        """The reply, and whether it is one to remember. Only a death by another's hand is worth a second try."""
        for last in (False, True):
            try:
                child = await self._process.child()
                if self._process.doubt:
                    return NotTried(0, self._process.doubt), False
                reply = await child.ask(question, header, self._answer_s)
            except NoProcess as reason:
                return NotTried(0, str(reason)), False
            except DryRunDied as death:
                await self._process.end()
                if death.by == "outside" and not last:
                    continue
                return self._after(death, header.digest)
            if isinstance(reply, NotTried) and reply.is_last:
                self._deaths[header.digest] = self._deaths.get(header.digest, 0) + 1
                await self._process.end()
            is_answer = isinstance(reply, Answered | ProjectorAnswered | WasRefused)
            if is_answer:
                self._harmless.add(header.digest)
            return reply, is_answer
        raise AssertionError("the second try returns")

    def _after(self, death: DryRunDied, digest: str) -> tuple[Reply, bool]:
        """What llama.cpp ended over it would end over again; what was in its way passes."""
        if death.by == "itself":
            self._deaths[digest] = self._deaths.get(digest, 0) + 1
        elif death.by == "us":
            self._resting[digest] = time.monotonic() + self._rest_s, str(death)
        return NotTried(0, str(death)), death.by == "itself"

    async def _list_devices(self) -> tuple[KnownDevice, ...] | None:
        """Holds the turn that the caller took."""
        try:
            while self._failed_listings < _LISTINGS:
                try:
                    child = await self._process.child()
                    return await child.devices(self._answer_s)
                except DryRunDied as death:
                    await self._process.end()
                    self._failed_listings += 1
                    if death.by != "outside":
                        break
        except NoProcess:
            pass
        finally:
            self._turn.release()
        return None


def _of(reply: Reply, settings: LoadSettings, machine: Machine, fallback: Fallback | None) -> Prediction:
    if isinstance(reply, WasRefused):
        raise Refused(reply.reason)
    if not isinstance(reply, Answered):
        reason = reply.reason if isinstance(reply, NotTried) else _LOST
        if fallback is None:
            raise Unanswered(reason)
        return msgspec.structs.replace(fallback(settings, machine), source="estimate", reason=reason)
    named = tuple(
        msgspec.structs.replace(part, name=device.name, description=device.description)
        for part, device in zip(reply.prediction.devices, machine.devices, strict=True)
    )
    return msgspec.structs.replace(reply.prediction, devices=named)
