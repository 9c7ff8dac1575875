"""The speed of a model that is not here: its header with zeros for weights is loaded for real, and decodes for real.

Only on a person's word, since it takes the memory and the time of a real load. Never for a machine that is described,
and never beyond what is free.
"""

from __future__ import annotations

import msgspec

from tui.config.sizes import size
from tui.fit.values import Machine, Prediction, Refused
from tui.fit.verdict import DeviceFit, HostFit, assess
from tui.gguf.stripped import StrippedHeader
from tui.llama.phantom_messages import PhantomAnswer, PhantomFailed, PhantomRequest, PhantomSpeed
from tui.llama.settings import NO_PROJECTOR, LoadSettings
from tui.process.once import OnceError, run_once

MODULE = "tui.llama.phantom"
TIMEOUT_S = 600.0


class PhantomError(Exception):
    """The child process died or gave no answer; the text says why. The model itself may be sound."""


class NoRoom(Refused):
    """What is in memory now leaves too little for it."""

    def __init__(self, over_bytes: int, margin_bytes: int) -> None:
        super().__init__(
            f"a trial run takes as much memory as the model, and beside what is in memory now that does not fit:"
            f" {size(over_bytes)} too much, with {size(margin_bytes)} kept free"
        )
        self.over_bytes = over_bytes


def bare(settings: LoadSettings) -> LoadSettings:
    """The settings of a trial run: nothing beside the model, one pane, and the hole is read rather than mapped."""
    return msgspec.structs.replace(
        settings,
        lora=(),
        draft_model="",
        chat_template="",
        mmproj=NO_PROJECTOR,
        load_mode="none",
        mlock=False,
        panes=1,
    )


async def phantom_speed(
    header: StrippedHeader,
    settings: LoadSettings,
    prediction: Prediction,
    machine: Machine,
    *,
    n_block: int,
    n_cpu_moe: int,
    threads: int,
    cpus: int,
    timeout_s: float = TIMEOUT_S,
) -> PhantomSpeed:
    """Measure prefill and decode of `header` with `settings` (resolved, made `bare`), in a child process.

    `prediction` and `machine` say what it takes and what is free; `cpus` are the logical CPUs of this process.
    Cancelling ends it. Raises NoRoom where it would not fit, Refused where llama.cpp refuses it, and PhantomError where
    the child fails.
    """
    _check_room(prediction, machine, n_block, n_cpu_moe)
    request = PhantomRequest(
        header=header.data, data_bytes=header.data_bytes, settings=bare(settings), threads=threads, cpus=cpus
    )
    try:
        raw = await run_once(MODULE, request=msgspec.msgpack.encode(request), timeout_s=timeout_s)
        answer: PhantomAnswer = msgspec.json.decode(raw, type=PhantomAnswer)
    except OnceError as error:
        raise PhantomError(f"the trial run failed: {error}") from error
    except msgspec.DecodeError as error:
        raise PhantomError("the trial run gave no answer that can be read") from error
    if isinstance(answer, PhantomFailed):
        raise Refused(f"{answer.message}; {answer.hint}" if answer.hint else answer.message)
    return answer


def _check_room(prediction: Prediction, machine: Machine, n_block: int, n_cpu_moe: int) -> None:
    if any(device.profile != "real" for device in machine.devices):
        raise Refused("a trial run needs the devices themselves; those described here are not in this machine")
    assessment = assess(prediction, machine, n_block, n_cpu_moe=n_cpu_moe)
    if assessment.verdict == "no":
        pools: tuple[DeviceFit | HostFit, ...] = (*assessment.devices, assessment.host)
        worst = next(pool for pool in pools if not pool.fits)
        margin = machine.margins.host_bytes if isinstance(worst, HostFit) else machine.margins.device_bytes
        raise NoRoom(worst.over_bytes, margin)
