"""The settings under which a dry run must be exact: all that a context's memory depends on, crossed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from tui.llama.settings import FlashAttention, KVType, LoadSettings, SettingsError

KV_TYPES: tuple[tuple[KVType, KVType], ...] = (("f16", "f16"), ("q8_0", "q8_0"), ("q4_0", "q4_0"), ("q8_0", "f16"))


def every_setting(contexts: Sequence[int], panes: Sequence[int] = (1, 2)) -> list[LoadSettings]:
    """n_ctx × KV types × flash attention × n_ubatch × swa_full × panes, all on the host; what LoadSettings itself
    refuses is left out.
    """
    return list(_crossed(contexts, panes))


def some_settings(nth: int, count: int) -> list[LoadSettings]:
    """`count` of them, evenly spread; another `nth` gives others, so that all architectures together meet them all."""
    there = every_setting((512, 1500, 8192))
    step = len(there) // count
    return [there[(nth * 7 + index * step + index) % len(there)] for index in range(count)]


def _crossed(contexts: Sequence[int], panes: Sequence[int]) -> Iterator[LoadSettings]:
    attention: tuple[FlashAttention, ...] = ("auto", "on", "off")
    for n_ctx, (type_k, type_v), flash, n_ubatch, swa_full, n in product(
        contexts, KV_TYPES, attention, (64, 512, 2048), (False, True), panes
    ):
        try:
            yield LoadSettings(
                n_gpu_layers=0,
                n_ctx=n_ctx,
                type_k=type_k,
                type_v=type_v,
                flash_attn=flash,
                n_ubatch=n_ubatch,
                swa_full=swa_full,
                panes=n,
            )
        except SettingsError:
            continue
