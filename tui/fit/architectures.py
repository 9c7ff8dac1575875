"""What llama.cpp knows of an architecture by its name and writes in no header: which layers slide, recur or keep no
cache. Read from the `load_arch_hparams` of each model in its source. Values only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Sliding(NamedTuple):
    """How an architecture mixes sliding-window layers with full ones (`load_swa_pattern`)."""

    period: int | None
    """One layer in so many is full; None where only the header's array says which ones slide."""
    dense_first: bool = False
    """The full layer is the first of its period instead of the last."""
    window: int | None = None
    """Tokens, where the header need not say."""
    fixed: bool = False
    """The window is this one whatever the header says."""
    optional: bool = False
    """Without a window in the header, no layer slides."""


SLIDING: dict[str, Sliding] = {
    "afmoe": Sliding(4, optional=True),
    "cohere2": Sliding(4),
    "cohere2moe": Sliding(4, dense_first=True),
    "exaone-moe": Sliding(4, window=128),
    "exaone4": Sliding(4, window=4096),
    "gemma2": Sliding(2, window=4096),
    "gemma3": Sliding(6, optional=True),
    "gemma3n": Sliding(5),
    "gemma4": Sliding(None),
    "gpt-oss": Sliding(2),
    "granite_swa": Sliding(None),
    "laguna": Sliding(4, dense_first=True, optional=True),
    "lfm2": Sliding(0, optional=True),
    "llama4": Sliding(4, window=8192, fixed=True),
    "maple": Sliding(None),
    "mellum": Sliding(4, optional=True),
    "mimo2": Sliding(None),
    "muse-glimmer": Sliding(4),
    "olmo2": Sliding(4, optional=True),
    "plamo3": Sliding(8, optional=True),
    "smallthinker": Sliding(4, dense_first=True, window=4096, fixed=True, optional=True),
    "spark2_5": Sliding(None),
    "step35": Sliding(None),
}
"""Any other architecture attends over the whole context, even where its header names a window."""

RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
"""Every layer keeps a state and none a KV cache (`llm_arch_is_recurrent`)."""
RECURRENT_WITHOUT_HEADS = frozenset(
    {
        *("jamba", "plamo2", "granitehybrid", "lfm2", "lfm2moe", "kimi-linear", "kimi-k3", "glm5-next"),
        *("bailingmoe3", "nemotron_h", "nemotron_h_moe"),
    }
)
"""Hybrids: a layer without KV heads keeps a state instead (`is_recr_impl`)."""
RECURRENT_BY_INTERVAL = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4, "qwen4exp": 4, "minimax-01": 8}
"""Hybrids: all but every Nth layer keep a state, unless the header has an interval or an array of its own."""
BOTH = frozenset({"falcon-h1"})
"""Every layer keeps a KV cache and a state."""
CACHELESS = frozenset(
    {
        *("bert", "jina-bert-v2", "jina-bert-v3", "nomic-bert", "nomic-bert-moe", "neo-bert", "eurobert"),
        *("modern-bert", "gemma-embedding", "dream", "llada", "llada-moe", "rnd1", "wavtokenizer-dec"),
    }
)
"""No memory at all (`create_memory` returns none)."""
INDEXED = frozenset({"deepseek32", "glm-dsa", "deepseek4", "dots3note", "hy_v4", "minimax-m3", "glm5-next", "qwen4exp"})
"""A further cache beside keys and values (an indexer's keys, compressed states) that no formula here counts."""
PARALLEL = frozenset({"falcon", "command-r", "cohere2", "cohere2moe", "phi2", "gptj", "gptneox", "plamo"})
"""Attention and feed-forward network read the same norm."""
FUSED_QKV = frozenset(
    {
        *("falcon", "gptneox", "phi2", "phi3", "bloom", "mpt", "gpt2", "starcoder", "qwen", "chatglm", "glm4", "dbrx"),
        *("codeshell", "jais", "openelm", "plamo2", "plamo3"),
    }
)
"""One matrix makes queries, keys and values, in the files that there are of it."""
GATE_JOINED = frozenset({"phi3", "chatglm", "glm4", "plamo2", "plamo3"})
"""Gate and way up of the feed-forward network are one matrix."""
GATELESS = frozenset(
    {
        *("falcon", "gptneox", "phi2", "bloom", "mpt", "gpt2", "starcoder", "starcoder2", "nemotron", "nemotron_h"),
        *("nemotron_h_moe", "codeshell", "gptj", "apertus", "arcee", "jais2"),
    }
)
"""The feed-forward network has no gate."""
KV_FROM_START = {"gemma3n": 20}
"""Only the first N layers keep a cache; the others read theirs."""


def slides(architecture: str, n_layer: int, found: int | None, pattern: object) -> tuple[int, tuple[bool, ...]]:
    """The window in tokens (0 without one) and whether each of `n_layer` layers slides.

    `found` is the header's sliding_window, `pattern` its sliding_window_pattern: a number, an array, or None.
    """
    rule, none = SLIDING.get(architecture), (False,) * n_layer
    if rule is None or found == 0 or (found is None and rule.optional):
        return 0, none
    if architecture == "exaone4" and n_layer != 64:  # the small ones attend over everything
        return 0, none
    window = rule.window if rule.fixed or found is None else found
    if isinstance(pattern, tuple | list):
        flags = tuple(bool(flag) for flag in pattern[:n_layer])
        return window or 0, flags + none[len(flags) :]
    period = pattern if isinstance(pattern, int) and not isinstance(pattern, bool) and pattern >= 0 else rule.period
    if not window or period is None:
        return 0, none
    full = 0 if rule.dense_first else period - 1
    return window, tuple(period == 0 or layer % period != full for layer in range(n_layer))


def recurs(
    architecture: str, n_layer: int, heads_kv: Sequence[int], n_ff: Sequence[int], interval: int | None, flags: object
) -> tuple[bool, ...]:
    """Whether each layer keeps a recurrent state. `flags` is the header's array of recurrent layers, if it has one."""
    if architecture in RECURRENT or architecture in BOTH:
        return (True,) * n_layer
    if architecture in RECURRENT_BY_INTERVAL:
        if isinstance(flags, tuple | list):
            return tuple(bool(flag) for flag in flags[:n_layer]) + (False,) * (n_layer - len(flags))
        every = max(1, interval or RECURRENT_BY_INTERVAL[architecture])
        return tuple((layer + 1) % every != 0 for layer in range(n_layer))
    if architecture in RECURRENT_WITHOUT_HEADS:
        alone = architecture.startswith("nemotron_h")  # a layer may be a feed-forward network and nothing else
        return tuple(heads_kv[layer] == 0 and not (alone and n_ff[layer]) for layer in range(n_layer))
    return (False,) * n_layer


def keeps_cache(architecture: str, layer: int, n_layer: int, n_shared: int, recurrent: bool) -> bool:
    """Whether a layer has keys and values of its own. `n_shared` layers at the end read those of others."""
    if architecture in CACHELESS or architecture in RECURRENT:
        return False
    if architecture in KV_FROM_START or n_shared:
        return layer < KV_FROM_START.get(architecture, n_layer - n_shared)
    return architecture in BOTH or not recurrent
