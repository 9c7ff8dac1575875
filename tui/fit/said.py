"""What a plan tells the person: every respect in which it is less than what was asked for, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from tui.config.sizes import size, thousands
from tui.fit.candidates import Candidate, experts_on_host
from tui.fit.order import Goals, Shape
from tui.llama.settings import CONTEXT_MULTIPLE, LoadSettings


def say(
    best: Candidate,
    wished: LoadSettings,
    shape: Shape,
    aims: Goals,
    least_n_ctx: int | None,
) -> tuple[str, ...]:
    """Sentences about `best`; none where it is all that was asked for."""
    if best.assessment.verdict == "no":
        return (*_about_fit(best, wished), *_about_nothing(wished, shape))
    return (
        *_about_nothing(wished, shape),
        *_about_padding(best, wished),
        *_about_training(best, shape),
        *_about_context(best, wished, shape, aims, least_n_ctx),
        *_about_kv(best, wished),
        *_about_devices(best, wished, shape),
    )


def _about_fit(best: Candidate, wished: LoadSettings) -> Iterator[str]:
    missing = size(best.assessment.missing_bytes)
    chosen = "auto" in (wished.n_gpu_layers, wished.n_ctx)
    yield f"It does not fit: {missing} too much with {'the closest settings' if chosen else 'these settings'}."


def _about_nothing(wished: LoadSettings, shape: Shape) -> Iterator[str]:
    """Settings that this model has no use for."""
    if wished.n_cpu_moe and not shape.n_expert:
        yield "n_cpu_moe does nothing: this model has no experts."
    if wished.swa_full and not shape.slides:
        yield "swa_full does nothing: this model has no sliding windows."


def _about_padding(best: Candidate, wished: LoadSettings) -> Iterator[str]:
    n_ctx = best.prediction.n_ctx
    if isinstance(wished.n_ctx, int) and n_ctx > wished.n_ctx:
        yield (
            f"The context is {thousands(n_ctx)} tokens instead of {thousands(wished.n_ctx)}: llama.cpp pads it to a"
            f" multiple of {CONTEXT_MULTIPLE}."
        )


def _about_training(best: Candidate, shape: Shape) -> Iterator[str]:
    if 0 < shape.n_ctx_train < best.prediction.n_ctx:
        yield (
            f"The context of {best.prediction.n_ctx} tokens is more than the {shape.n_ctx_train} that the model was"
            " trained with: without RoPE scaling it loses the thread there."
        )


def _about_context(
    best: Candidate, wished: LoadSettings, shape: Shape, aims: Goals, least_n_ctx: int | None
) -> Iterator[str]:
    n_ctx = best.prediction.n_ctx
    asked = max(least_n_ctx or 0, aims.usual)
    if not isinstance(wished.n_ctx, str) or n_ctx >= asked:
        return
    if least_n_ctx is not None and aims.most < least_n_ctx:
        yield (
            f"The context is {n_ctx} tokens, not the {least_n_ctx} asked for: the model was trained with"
            f" {shape.n_ctx_train}."
        )
    elif n_ctx < (least_n_ctx or 0):
        yield f"The context is {n_ctx} tokens, not the {least_n_ctx} asked for: more does not fit."
    else:
        beside = " beside the whole model on the GPU" if best.assessment.verdict == "gpu" else ""
        yield f"The context is {n_ctx} tokens, not {aims.usual}: more does not fit{beside}."


def _about_kv(best: Candidate, wished: LoadSettings) -> Iterator[str]:
    if not best.rank.kv_as_asked:
        types = " and ".join(dict.fromkeys((wished.type_k, wished.type_v)))
        yield f"The KV cache is q8_0 instead of {types}, to fit more: a small cost in quality."


def _about_devices(best: Candidate, wished: LoadSettings, shape: Shape) -> Iterator[str]:
    everything = shape.n_block + 1
    if not best.assessment.devices and wished.n_gpu_layers not in ("auto", 0):
        yield "There is no GPU, so no layer is on one."
    layers = int(best.settings.n_gpu_layers)
    if best.assessment.devices and wished.n_gpu_layers == "auto" and layers < everything:
        on_gpu = f"{layers} of {everything} layers are on the GPU" if layers else "No layer is on the GPU"
        yield f"{on_gpu}; the CPU computes the rest."
    moe = experts_on_host(best.settings, shape)
    if moe and best.settings.n_cpu_moe > wished.n_cpu_moe:
        yield f"The experts of {moe} of {shape.n_block} layers stay in RAM."
    used = best.settings.devices
    left_out = [device.name for device in best.assessment.devices if used and device.name not in used]
    if left_out and not wished.devices:
        yield f"{', '.join(left_out)} {'has' if len(left_out) == 1 else 'have'} too little free to be used."
