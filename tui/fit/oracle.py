"""Where a model would lie, asked of llama.cpp itself in a process of its own. Never imports llama_cpp; one asyncio
loop.

That process may be ended by any header. What cannot be had from it is an estimate with the reason, and what ended it
once is not asked again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from tui.fit.dry_child import DryChild, DryRunDied, Spawn
from tui.fit.extras import Extras, adapter_tensors, adapters_prediction, added, projector_prediction
from tui.fit.questions import Answered, AskedDevice, KnownDevice, NotTried, Question, Reply, WasRefused
from tui.fit.values import Machine, Prediction, Refused
from tui.gguf.stripped import StrippedHeader
from tui.llama.settings import LoadSettings
from tui.process.spawn import spawn as spawn_process

ANSWER_S = 20.0
"""Longest wait for one answer, which takes milliseconds; a model of a thousand layers takes a second."""
START_S = 60.0
"""Longest wait for a process to start: a cold disk reads llama.cpp for seconds."""
_KEPT_ANSWERS = 4096
_STARTS = 2
"""Processes that may die while they start before no more are."""
_DEATHS_A_HEADER = 2
"""A header that ended this many processes and got no answer from any is not asked about again."""

Fallback = Callable[[LoadSettings, Machine], Prediction]


class Unanswered(Exception):
    """llama.cpp could not be asked and nobody else was there to answer; the text says why."""


class DryRun:
    """Asks llama.cpp. A process is started on first need, in the main thread, and another one when it has died."""

    def __init__(self, spawn: Spawn = spawn_process, *, answer_s: float = ANSWER_S, start_s: float = START_S) -> None:
        """Nothing is started yet."""
        self._spawn, self._answer_s, self._start_s = spawn, answer_s, start_s
        self._child: DryChild | None = None
        self._turn = asyncio.Lock()
        self._closed = False
        self._failed_starts = 0
        self._doubt = ""
        self._answers: OrderedDict[bytes, Reply] = OrderedDict()
        self._deaths: dict[str, int] = {}
        """Processes that a header ended, by its digest."""
        self._harmless: set[str] = set()
        """Digests of headers that were answered: not every setting ends llama.cpp with them."""

    @property
    def pid(self) -> int | None:
        """The process id while one runs."""
        return self._child.pid if self._child is not None and self._child.alive else None

    async def predict(
        self,
        header: StrippedHeader,
        settings: LoadSettings,
        machine: Machine,
        fallback: Fallback | None = None,
        extras: Extras | None = None,
    ) -> Prediction:
        """What the model would occupy with `settings`, which name numbers (or all layers), never "auto".

        Where llama.cpp cannot be asked, `fallback` answers and `reason` says why; without one, Unanswered is raised.
        Raises Refused for what llama.cpp refuses. May be cancelled at any time. Call it in the main thread.
        """
        if settings.n_gpu_layers == "auto" or settings.n_ctx == "auto":
            raise ValueError("settings must be resolved before they are asked about")
        names = [device.name for device in machine.devices]
        if len(set(names)) < len(names):
            raise ValueError(f"every device needs a name of its own: {names}")
        beside = extras or Extras()
        lora = tuple(adapter_tensors(adapter) for adapter in beside.lora)
        question = Question(0, header.digest, _relevant(settings), _asked_devices(settings, machine), lora)
        prediction = _of(await self._reply(question, header), settings, machine, fallback)
        if prediction.source == "estimate" and beside.lora:
            prediction = added(prediction, adapters_prediction(beside.lora, prediction))
        if beside.draft is not None:
            draft = await self.predict(beside.draft.header, beside.draft.settings, machine, fallback)
            prediction = added(prediction, draft)
        if beside.projector is not None:
            prediction = added(prediction, projector_prediction(beside.projector, machine))
        return prediction

    async def devices(self) -> tuple[KnownDevice, ...]:
        """The GPUs of the installed llama.cpp, in its order, with what is free now; none where it cannot be asked."""
        await self._turn.acquire()
        return await asyncio.shield(asyncio.create_task(self._list_devices(), name="devices of the dry run"))

    async def release(self) -> None:
        """End the process, so that nothing of it is left on a GPU; the next question starts another."""
        async with self._turn:
            if self._child is not None:
                await self._child.end()
                self._child = None

    async def close(self) -> None:
        """End the process for good; what is asked from now on is estimated. Safe to call twice."""
        self._closed = True
        if self._child is not None:
            self._child.kill()  # a question that it is at is not waited for
        await self.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _reply(self, question: Question, header: StrippedHeader) -> Reply:
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
        if self._closed:
            return NotTried(0, "the dry run is closed")
        if digest not in self._harmless and self._deaths.get(digest, 0) >= _DEATHS_A_HEADER:
            return NotTried(0, "this header ends llama.cpp with every setting that was tried")
        return NotTried(0, self._doubt) if self._doubt else None

    async def _ask(self, key: bytes, question: Question, header: StrippedHeader) -> Reply:
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

    async def _try_twice(self, question: Question, header: StrippedHeader) -> tuple[Reply, bool]:
        """The reply, and whether it is one to remember. Only a death by another's hand is worth a second try."""
        for last in (False, True):
            child = await self._started()
            if isinstance(child, NotTried):
                return child, False
            try:
                reply = await child.ask(question, header, self._answer_s)
            except DryRunDied as death:
                self._child = None
                if death.by_outside:
                    if last or self._closed:
                        return NotTried(0, str(death)), False
                    continue
                self._deaths[header.digest] = self._deaths.get(header.digest, 0) + 1
                return NotTried(0, str(death)), True
            self._harmless.add(header.digest)
            return reply, True
        raise AssertionError("the second try returns")

    async def _list_devices(self) -> tuple[KnownDevice, ...]:
        """Holds the turn that the caller took."""
        try:
            child = await self._started()
            return await child.devices(self._answer_s) if isinstance(child, DryChild) else ()
        except DryRunDied:
            self._child = None
            return ()
        finally:
            self._turn.release()

    async def _started(self) -> DryChild | NotTried:
        """The running process, started when there is none. The caller has the turn."""
        if self._child is not None and self._child.alive:
            return self._child
        if self._child is not None:  # it died between two questions
            await self._child.end()
            self._child = None
        if self._closed or self._doubt:
            return NotTried(0, self._doubt or "the dry run is closed")
        try:
            self._child = await DryChild.start(self._spawn, self._start_s)
        except OSError as error:
            return NotTried(0, f"no dry-run process could be started: {error}")
        except DryRunDied as death:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS:
                self._doubt = f"the dry run does not start: {death}"
            return NotTried(0, f"the dry run did not start: {death}")
        self._doubt = self._child.ready.doubt
        if self._doubt:
            await self._child.end()
            return NotTried(0, self._doubt)
        return self._child


def _of(reply: Reply, settings: LoadSettings, machine: Machine, fallback: Fallback | None) -> Prediction:
    if isinstance(reply, WasRefused):
        raise Refused(reply.reason)
    if not isinstance(reply, Answered):
        reason = reply.reason if isinstance(reply, NotTried) else "the dry run lost its header"
        if fallback is None:
            raise Unanswered(reason)
        return msgspec.structs.replace(fallback(settings, machine), source="estimate", reason=reason)
    named = tuple(
        msgspec.structs.replace(part, name=device.name, description=device.description)
        for part, device in zip(reply.prediction.devices, machine.devices, strict=True)
    )
    return msgspec.structs.replace(reply.prediction, devices=named)


def _relevant(settings: LoadSettings) -> LoadSettings:
    """The settings without those that no layout depends on, so that questions which differ in them are one."""
    return msgspec.structs.replace(
        settings, threads=1, load_mode="none", mlock=False, lora=(), draft_model="", chat_template=""
    )


def _asked_devices(settings: LoadSettings, machine: Machine) -> tuple[AskedDevice, ...]:
    """The devices as far as a layout depends on them. What is free only decides how layers are spread over several."""
    n_used = len(settings.devices or machine.devices)
    spread = n_used > 1 and settings.split_mode != "none" and not any(settings.tensor_split)
    return tuple(
        AskedDevice(
            device.name, device.profile, device.total_bytes, device.free_bytes if spread else device.total_bytes
        )
        for device in machine.devices
    )
