"""How a model was used on this machine: when last, how often, how fast. Reads files; what is not known is None."""

from __future__ import annotations

from dataclasses import dataclass

from tui.library import Model
from tui.models.machine import Lessons


@dataclass(frozen=True, slots=True)
class Usage:
    """One model on this machine."""

    loads: int
    """Of the newest loads that are remembered, those of this model."""
    last_used: float | None
    """Unix seconds of its last load or answer."""
    decode_tok_s: float | None
    """Of its newest answer or benchmark, with whatever settings that had."""
    prefill_tok_s: float | None


def usage_of(model: Model, lessons: Lessons) -> Usage:
    """What `tui.models.lessons.learnt` says of this model."""
    loads = [load for load in lessons.loads if load.model == model.identity]
    answers = [
        measured
        for measured in lessons.speeds.measurements
        if measured.model == model.identity and measured.kind != "phantom"
    ]
    times = [load.time for load in loads] + [answer.time for answer in answers]
    newest = sorted(answers, key=lambda answer: answer.time, reverse=True)
    return Usage(
        loads=len(loads),
        last_used=max(times, default=None),
        decode_tok_s=next((each.decode_tok_s for each in newest if each.decode_tok_s is not None), None),
        prefill_tok_s=next((each.prefill_tok_s for each in newest if each.prefill_tok_s is not None), None),
    )


def last_used(lessons: Lessons) -> dict[str, float]:
    """When each model was last used here, in Unix seconds by its identity."""
    used: dict[str, float] = {}
    for model, moment in [
        *((load.model, load.time) for load in lessons.loads),
        *((each.model, each.time) for each in lessons.speeds.measurements if each.kind != "phantom"),
    ]:
        used[model] = max(moment, used.get(model, moment))
    return used
