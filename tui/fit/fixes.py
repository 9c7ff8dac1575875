"""What would make a model fit that does not, or bring on the GPU what is only partly there: single changes, each with
what it saves and what it costs.

Every change of settings has been asked for before it is offered. What else would help (another quantization, memory
that other processes hold) is said for information: it carries no settings, and nothing here acts on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from tui.config.sizes import size
from tui.fit.changes import ALL_ON_GPU, FITS, Change, Changes
from tui.fit.order import Shape
from tui.fit.values import Ask, Machine, Margins
from tui.fit.verdict import Assessment
from tui.llama.settings import NO_DEVICES, LoadSettings

Speed = Callable[[LoadSettings], float | None]
"""Tokens decoded in a second under resolved settings; None where that cannot be told."""


SLACK_BYTES = 64 << 20
"""What a change leaves free beyond the margin, on each device."""
HOST_SLACK_BYTES, HOST_SLACK_SHARE = 256 << 20, 1 / 32
"""The same of RAM, of which every program takes and gives: that much, or that share of what is free if it is more."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A process that holds memory of a device."""

    pid: int
    device: str
    """The device's name in the machine."""
    used_bytes: int
    user: str | None = None
    """Whose process it is, in words that follow "of"; None where that is not known."""
    mine: bool = False
    """True for an engine of this user's puna."""


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One change that helps."""

    change: str
    """In words, without its saving and cost."""
    settings: LoadSettings | None
    """What it leads to, all other settings as they were; None where it is said for information only."""
    saves_bytes: int
    """How much less is needed of what did not fit, in bytes."""
    cost: str
    """In words."""

    @property
    def words(self) -> str:
        """All of it on one line; a size that the change names is not repeated."""
        saved = size(self.saves_bytes)
        is_news = self.saves_bytes > 0 and saved not in self.change
        return f"{self.change}: −{saved}, {self.cost}" if is_news else f"{self.change}: {self.cost}"


async def fixes(
    settings: LoadSettings,
    shape: Shape,
    assessment: Assessment,
    machine: Machine,
    ask: Ask,
    *,
    others: Sequence[Holder] = (),
    quant: str = "",
    quants: Sequence[tuple[str, int]] = (),
    speed: Speed | None = None,
    formula: Ask | None = None,
) -> tuple[Fix, ...]:
    """Changes to resolved `settings`, whose `assessment` it is, the cheapest first; none where all is on the GPU.

    Where it does not fit, each makes it fit; where it is only partly on the GPU, each brings all of it there. `others`
    are processes that hold device memory; `quants` are other quantizations of the model as (label, bytes of file saved)
    and `quant` is the label of its own. `speed` puts the cost of slower settings in numbers. `formula` answers
    at once and need not be exact: searches begin where it would end.
    """
    if assessment.verdict == "gpu" or (assessment.verdict != "no" and not machine.devices):
        return ()
    base, short, wanted = settings, assessment, FITS
    if assessment.verdict != "no":
        devices = () if settings.devices == NO_DEVICES else settings.devices
        everything = {"n_gpu_layers": shape.n_block + 1, "n_cpu_moe": 0, "devices": devices}
        base, wanted = msgspec.structs.replace(settings, **everything), ALL_ON_GPU
    changes = Changes(base, shape, _with_slack(machine), ask, wanted=wanted, formula=formula)
    if wanted == ALL_ON_GPU:
        whole = await changes.assess(base)
        if whole is None:
            return ()
        if whole.verdict == "gpu":
            return (Fix(change="every layer on the GPU", settings=base, saves_bytes=0, cost="faster, at no cost"),)
        short = whole
    first = "every layer on the GPU, " if wanted == ALL_ON_GPU else ""
    offered = [_fix(change, base, short, speed, first) for change in await changes.found()]
    return (*offered, *_another_quantization(short, quant, quants), *_holders(short, others))


def _with_slack(machine: Machine) -> Machine:
    """The machine with a little less room: what is free moves all the time, and a change that was taken over must not
    be too little a moment later.
    """
    margins = machine.margins
    host = max(HOST_SLACK_BYTES, int(machine.host_available_bytes * HOST_SLACK_SHARE))
    more = Margins(margins.device_bytes + SLACK_BYTES, margins.host_bytes + host)
    return msgspec.structs.replace(machine, margins=more)


def _fix(change: Change, base: LoadSettings, short: Assessment, speed: Speed | None, first: str) -> Fix:
    return Fix(
        change=first + change.words,
        settings=change.settings,
        saves_bytes=_saved_bytes(short, change.assessment),
        cost=change.cost or _slower(base, change.settings, speed),
    )


def _saved_bytes(short: Assessment, after: Assessment) -> int:
    """How much less is needed of every device, and of the host, that did not fit; of a pool that they share once."""
    devices = zip(short.devices, after.devices, strict=True)
    # What a device that shares the host's memory holds is in the host's need already.
    counted = [(was, now) for was, now in devices if not was.fits and not (was.shares_host and not short.host.fits)]
    host = 0 if short.host.fits else short.host.need_bytes - after.host.need_bytes
    return host + sum(was.need_bytes - now.need_bytes for was, now in counted)


def _slower(base: LoadSettings, settings: LoadSettings, speed: Speed | None) -> str:
    """The cost of what the CPU computes, as a share of the speed that `base` would have."""
    before, after = (speed(base), speed(settings)) if speed is not None else (None, None)
    if not before or not after:
        return "slower, as the CPU computes the rest"
    return f"about {after / before:.1f} × the speed" if after >= before / 20 else "much slower"


def _another_quantization(short: Assessment, quant: str, quants: Sequence[tuple[str, int]]) -> Iterator[Fix]:
    """The one that gives up the least of those that save enough."""
    enough = [(saved, label) for label, saved in quants if saved >= short.missing_bytes]
    if enough:
        saved, label = min(enough)
        change = f"quantization {label}" + (f" instead of {quant}" if quant else "")
        yield Fix(change=change, settings=None, saves_bytes=saved, cost="lower quality, another download")


def _holders(short: Assessment, others: Sequence[Holder]) -> Iterator[Fix]:
    """What other processes hold of the devices that are short, the largest first."""
    full = {device.name for device in short.devices if not device.fits}
    for holder in sorted(others, key=lambda holder: -holder.used_bytes):
        if holder.device in full:
            whose = ", your engine," if holder.mine else f" of {holder.user}" if holder.user else ""
            yield Fix(
                change=f"PID {holder.pid}{whose} holds {size(holder.used_bytes)}",
                settings=None,
                saves_bytes=holder.used_bytes,
                cost=f"`puna stop {holder.pid}` ends it" if holder.mine else "information only",
            )
