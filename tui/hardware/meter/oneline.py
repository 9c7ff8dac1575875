"""The machine in one line, for a status bar: `H100 49/80G 63% · RAM 38/251G · 61 tok/s`."""

from __future__ import annotations

from collections.abc import Sequence

from tui.hardware.meter.gauges import Gauge, age, cards, gpu_gauges, grouped, ram_gauge, summed
from tui.hardware.meter.holders import RunningEngine
from tui.hardware.meter.marks import Marks
from tui.hardware.meter.words import cells, rate, share
from tui.hardware.snapshot import Snapshot

_SINGLY = 2
"""GPUs that are told one by one; more are told by name."""


def one_line(snapshot: Snapshot, engines: Sequence[RunningEngine], marks: Marks, width: int | None = None) -> str:
    """GPUs, RAM and engines in at most `width` cells; whole parts are left out at the end, but RAM stays."""
    gpus = cards(snapshot.gpus)
    forms = [[_figures(gauge, marks) for gauge in grouped(gpus, marks)]]
    if len(gpus) <= _SINGLY:
        forms.insert(0, [_figures(gauge, marks) for gauge in gpu_gauges(gpus, marks)])
    if len(gpus) > 1:
        forms.append([_figures(summed(gpus, f"{len(gpus)} GPUs"), marks)])
    ram = _figures(ram_gauge(snapshot), marks)
    if snapshot.nvml_error is not None and not gpus:
        forms = [["GPU driver fails"]]
    if gpus and snapshot.gpus_stale:
        forms = [[*form[:-1], f"{form[-1]} ({age(snapshot)})"] for form in forms]
    rest = _engines(engines, marks)
    for parts in ([*gpu, ram, *rest] for gpu in forms):
        if width is None or cells(_joined(parts, marks)) <= width:
            return _joined(parts, marks)
    for parts in ([*forms[-1], ram], [ram]):
        if width is None or cells(_joined(parts, marks)) <= width:
            return _joined(parts, marks)
    return ""


def _joined(parts: Sequence[str], marks: Marks) -> str:
    return f" {marks.dot} ".join(parts)


def _figures(gauge: Gauge, marks: Marks) -> str:
    if gauge.error is not None:
        return f"{gauge.label} {gauge.error.partition(':')[0]}"
    memory = f"{gauge.label} {share(gauge.used, gauge.total, marks.dash, fine=False)}G"
    if gauge.busy is None:
        return memory
    return f"{memory} idle" if gauge.idle_s is not None else f"{memory} {gauge.busy}%"


def _engines(engines: Sequence[RunningEngine], marks: Marks) -> list[str]:
    if not engines:
        return []
    rates = [engine.decode_tok_s for engine in engines if engine.decode_tok_s is not None]
    speed = rate(sum(rates), marks.dash) if rates else marks.dash
    return [f"{speed} tok/s" if len(engines) == 1 else f"{len(engines)} engines {speed} tok/s"]
