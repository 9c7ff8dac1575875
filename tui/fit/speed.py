"""How fast a model will be with given settings on a machine: a range of tokens a second, and where it comes from.

In order of trust: measured for this file and these settings; a phantom run of its header; measured for a similar model
here; what memory could do, corrected by what other models reached here; what memory could do. Values only.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tui.fit.evidence import Evidence, SpeedSource
from tui.fit.measured import Kind, MeasuredPart, Measurement
from tui.fit.parts import Part, SpeedShape, parts_of
from tui.fit.roofline import prefill_s
from tui.fit.values import Machine, Prediction
from tui.llama.settings import LoadSettings

TYPICAL_PAST = 512
"""Tokens of context that an estimate reckons with unless told: a short conversation."""
ANSWER_TOKENS = 400
"""About 300 words."""
LEAST_DECODED, LEAST_PREFILLED = 16, 64
"""Tokens below which a measured rate says little."""


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens a second as a range [low, high]."""

    decode_tok_s: tuple[float, float]
    prefill_tok_s: tuple[float, float] | None = None
    """None where the arithmetic of a device is not known."""
    source: SpeedSource
    """Where decode_tok_s comes from."""
    n_past: int = TYPICAL_PAST
    """Tokens of context that it is reckoned at."""
    bandwidth_measured: bool = True
    """False where the bandwidth of a part is a vendor's figure or assumed."""

    def answer_s(self, tokens: int = ANSWER_TOKENS) -> float:
        """Seconds until an answer is written, at the low end; load and prompt excluded."""
        return tokens / self.decode_tok_s[0]


def estimate(
    shape: SpeedShape,
    settings: LoadSettings,
    prediction: Prediction,
    machine: Machine,
    measured: Sequence[Measurement] = (),
    *,
    model: str = "",
    n_past: int = TYPICAL_PAST,
) -> Speed | None:
    """How fast it will be; None where neither a bandwidth nor a measurement tells.

    `measured` is what was measured on that very machine: nothing for a described one. `model` is the identity of the
    file, by which its own measurements are known.
    """
    parts = parts_of(shape, settings, prediction, n_past)
    evidence = Evidence(measured, parts, shape, machine, model=model, settings=settings_key(settings, prediction))
    found = evidence.decode()
    if found is None:
        return None
    decode, source = found
    plain = prefill_s(parts, machine, shape.active_parameters, settings.n_ubatch)
    prefill = evidence.prefill(plain) or plain
    return Speed(
        decode_tok_s=(1 / decode.high, 1 / decode.low),
        prefill_tok_s=None if prefill is None else (1 / prefill.high, 1 / prefill.low),
        source=source,
        n_past=n_past,
        bandwidth_measured=_is_measured(parts, machine),
    )


def measurement(
    shape: SpeedShape,
    settings: LoadSettings,
    prediction: Prediction,
    machine: Machine,
    *,
    model: str,
    kind: Kind,
    time: float,
    n_past: int,
    decode_tok_s: float | None,
    prefill_tok_s: float | None,
) -> Measurement:
    """What one run showed, as later estimates need it; for `SpeedStore.record`.

    `n_past` is the context in the middle of the answer, in tokens; `time` is Unix seconds. Leave out the decode rate of
    an answer of fewer than LEAST_DECODED tokens and the prefill rate of fewer than LEAST_PREFILLED: they say little.
    """
    descriptions = {device.name: device.description or device.name for device in machine.devices}
    parts = parts_of(shape, settings, prediction, n_past)
    return Measurement(
        model=model,
        settings=settings_key(settings, prediction),
        architecture=shape.architecture,
        parameters=shape.parameters,
        active_parameters=shape.active_parameters,
        parts=tuple(
            MeasuredPart(descriptions.get(part.name, part.name), part.read_bytes, part.layers) for part in parts
        ),
        kind=kind,
        time=time,
        n_past=n_past,
        decode_tok_s=decode_tok_s,
        prefill_tok_s=prefill_tok_s,
    )


def settings_key(settings: LoadSettings, prediction: Prediction) -> str:
    """The settings that change the speed, in short; equal for loads that are equally fast."""
    split = (settings.devices, settings.split_mode, settings.tensor_split) if prediction.n_gpu_layers else ()
    fields = (
        prediction.n_gpu_layers,
        settings.type_k,
        settings.type_v,
        settings.flash_attn,
        settings.n_ubatch,
        settings.threads,
        settings.n_cpu_moe,
        len(settings.lora),
        split,
    )
    return repr(fields)


def _is_measured(parts: Sequence[Part], machine: Machine) -> bool:
    origins = {device.name: device.bandwidth_origin for device in machine.devices}
    return all(origins.get(part.name, machine.host_bandwidth_origin) == "measured" for part in parts)
