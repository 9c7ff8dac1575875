"""One dry-run process as the front end sees it: started, asked one question at a time, dead at any moment. Never
imports llama_cpp.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable
from typing import Literal, Protocol, TypeVar

import msgspec

from tui.fit.questions import (
    DeviceList,
    HeaderMissing,
    KeepHeader,
    KnownDevice,
    ListDevices,
    ProjectorQuestion,
    Question,
    Ready,
    Reply,
)
from tui.gguf.stripped import StrippedHeader
from tui.process.channel import ChannelError
from tui.process.death import OUT_OF_MEMORY
from tui.process.spawn import Child

MODULE = "tui.fit.dry_run"
_ASSERTION = "GGML_ASSERT"
_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)
_BY_ITSELF = (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGFPE)
"""How native code ends over what it was asked."""
By = Literal["outside", "itself", "us"]
"""Who ended a process. `outside`: somebody who has nothing to do with the question. `itself`: native code, over the
question, as it will again. `us`: what it was in the middle of may go well another time; it took too long, had too
little memory, or said what cannot be understood.
"""
_Result = TypeVar("_Result")


class Spawn(Protocol):
    """`tui.process.spawn.spawn`, or what a test puts in its place."""

    def __call__(self, module: str, arguments: list[str], *, incoming: object) -> Awaitable[Child]:
        """Start `python -m module`; must be called in the main thread."""


class DryRunDied(Exception):
    """The process ended, or was ended, before it answered; the text says why in words."""

    def __init__(self, reason: str, *, by: By) -> None:
        super().__init__(reason)
        self.by = by


class DryChild:
    """A running process that has introduced itself. Ask it from one task at a time."""

    def __init__(self, child: Child, ready: Ready) -> None:
        """Use `start`."""
        self._child = child
        self.ready = ready
        self._sent: set[str] = set()
        self._asked = 0

    @classmethod
    async def start(cls, spawn: Spawn, timeout_s: float) -> DryChild:
        """Start a process and wait until it has tested itself. Raises DryRunDied; OSError when none can be started."""
        child = await spawn(MODULE, [], incoming=Reply)
        try:
            reply = await _within(child, timeout_s, child.channel.receive())
            if not isinstance(reply, Ready):
                raise ChannelError("its first message is not the one expected")
        except (ChannelError, ValueError) as fault:  # msgspec's errors are ValueErrors
            raise await _ended(child, f"what it sent cannot be understood ({fault})") from fault
        except asyncio.CancelledError:
            child.kill()
            await asyncio.shield(child.ended())
            raise
        return cls(child, reply)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """False once it is known to have ended."""
        return self._child.process.returncode is None

    async def ask(self, question: Question | ProjectorQuestion, header: StrippedHeader, timeout_s: float) -> Reply:
        """Its reply to `question` about `header`. Raises DryRunDied.

        The caller must wait for it to end before the next question, whoever still wants the answer.
        """
        if header.digest not in self._sent:
            self._send_header(header)
        reply = await self._exchange(question, timeout_s)
        if isinstance(reply, HeaderMissing):
            self._send_header(header)
            reply = await self._exchange(question, timeout_s)
        return reply

    def kill(self) -> None:
        """End it now; whoever waits for an answer gets DryRunDied."""
        self._child.kill()

    async def devices(self, timeout_s: float) -> tuple[KnownDevice, ...]:
        """The GPUs of the installed llama.cpp, with what is free on them now. Raises DryRunDied."""
        reply = await self._exchange(ListDevices(0), timeout_s)
        if not isinstance(reply, DeviceList):
            raise await _ended(self._child, "it answered another question")
        return reply.devices

    async def end(self) -> None:
        """End it; its memory is back when this returns."""
        self._child.kill()
        await self._child.ended()

    def _send_header(self, header: StrippedHeader) -> None:
        self._sent.add(header.digest)
        self._child.channel.send(KeepHeader(header.digest, header.data, header.data_bytes))

    async def _exchange(self, request: Question | ProjectorQuestion | ListDevices, timeout_s: float) -> Reply:
        self._asked += 1
        numbered = msgspec.structs.replace(request, id=self._asked)
        try:
            self._child.channel.send(numbered)
            reply: Reply = await _within(self._child, timeout_s, self._child.channel.receive())
        except (ChannelError, ValueError) as fault:  # msgspec's errors are ValueErrors
            raise await _ended(self._child, f"what it sent cannot be understood ({fault})") from fault
        if isinstance(reply, Ready) or reply.id != self._asked:
            raise await _ended(self._child, "it answered another question")
        return reply


async def _within(child: Child, timeout_s: float, receiving: Awaitable[_Result | None]) -> _Result:
    """The next message. Raises DryRunDied when the process ends instead, or sends nothing for `timeout_s`."""
    try:
        message = await asyncio.wait_for(receiving, timeout_s)
    except TimeoutError:
        raise await _ended(child, f"llama.cpp gave no answer within {timeout_s:g} s") from None
    if message is None:
        raise await _ended(child, "")
    return message


async def _ended(child: Child, reason: str) -> DryRunDied:
    """See a process to its end. `reason` is why it is ended; empty when it went by itself."""
    if reason:
        child.kill()
    code = await child.ended()
    if reason:
        return DryRunDied(reason, by="us")
    why = child.why(code)
    assertion = next((line for line in reversed(child.stderr) if _ASSERTION in line), "")
    said = f": {assertion[assertion.index(_ASSERTION) :]}" if assertion else ""
    by: By = "itself" if code in _BY_ITSELF else "us"
    if code in _FROM_OUTSIDE and OUT_OF_MEMORY not in why:
        by = "outside"
    return DryRunDied(f"the dry run ended over it, {why}{said}", by=by)
