"""What automatic settings aim for, as an order that can be compared: the greater rank is the better plan.

1. It fits; where nothing does, the least is missing.
2. The context is at least the minimum: what the person states, else 4096 tokens. In less than that nobody can work, so
   layers leave the GPU before.
3. Every layer and the output are on devices.
4. More context, up to what is usual (or the minimum, where that is more).
5. More layers on devices; then the experts of fewer layers on the host.
6. The KV cache has the type that was asked for.
7. More context beyond what is usual.

So the KV cache is quantized, and experts leave the devices, before whole layers do; none of it happens for more context
than is usual. How layers are spread over several devices is no aim of its own.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tui.fit.verdict import Assessment
from tui.llama.settings import LoadSettings

USUAL_N_CTX = 8192
"""Context that automatic settings take where the model was trained for as much, in tokens."""
MINIMUM_N_CTX = 4096
"""The minimum where the person states none, in tokens."""
LEAST_N_CTX = 512
"""Below this a conversation makes no sense, so automatic settings do not go there however little is free, in tokens."""


class Shape(Protocol):
    """What of a model a plan has to know."""

    @property
    def n_block(self) -> int:
        """Layers as n_gpu_layers counts them, those that only draft further tokens included, the output not."""

    @property
    def n_ctx_train(self) -> int:
        """Context that the model was trained with, in tokens; 0 where the header does not say."""

    @property
    def n_expert(self) -> int:
        """Experts of a layer; 0 for a dense model."""

    @property
    def slides(self) -> bool:
        """Whether a layer attends over a window only."""


class Goals(NamedTuple):
    """Contexts that matter, in tokens, rising."""

    least: int
    """No plan goes below."""
    minimum: int
    usual: int
    most: int
    """No plan goes above."""


class Rank(NamedTuple):
    """How good a plan is, by the order of this module."""

    fits: bool
    not_missing_bytes: int
    """0 where it fits; else what is missing, negated."""
    has_minimum: bool
    on_devices: bool
    usual_n_ctx: int
    """Context up to what is usual, in tokens."""
    n_gpu_layers: int
    whole_layers: int
    """Layers whose experts are on the host, negated."""
    kv_as_asked: bool
    n_ctx: int


def goals(wished: LoadSettings, shape: Shape, least_n_ctx: int | None, most_n_ctx: int | None) -> Goals:
    """The contexts of a plan. A context that is given is the only one; no other goes beyond what the model was trained
    with.
    """
    if not isinstance(wished.n_ctx, str):
        return Goals(*[wished.n_ctx] * 4)
    trained = shape.n_ctx_train or most_n_ctx or max(USUAL_N_CTX, least_n_ctx or 0)
    most = min(trained, max(most_n_ctx or USUAL_N_CTX, least_n_ctx or 0))
    minimum = min(most, least_n_ctx or MINIMUM_N_CTX)
    usual = min(most, max(USUAL_N_CTX, minimum))
    return Goals(min(LEAST_N_CTX, minimum), minimum, usual, most)


def rank(settings: LoadSettings, assessment: Assessment, aims: Goals, *, kv_as_asked: bool) -> Rank:
    """Where resolved `settings` stand in the order."""
    assert isinstance(settings.n_ctx, int)
    assert isinstance(settings.n_gpu_layers, int)
    return Rank(
        fits=assessment.verdict != "no",
        not_missing_bytes=-assessment.missing_bytes,
        has_minimum=settings.n_ctx >= aims.minimum,
        on_devices=assessment.verdict == "gpu",
        usual_n_ctx=min(settings.n_ctx, aims.usual),
        n_gpu_layers=settings.n_gpu_layers,
        whole_layers=-settings.n_cpu_moe,
        kv_as_asked=kv_as_asked,
        n_ctx=settings.n_ctx,
    )
