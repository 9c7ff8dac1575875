"""Downloads by hand, as rows of the panel."""

from __future__ import annotations

from typing import Any

from tui.app.panels.downloads.values import Phase, Row
from tui.hub.downloads.values import Item, Wanted

GIB, MIB = 1 << 30, 1 << 20
RESET = "127.0.0.1 closed the connection in the middle"
GATED = "org/private-GGUF is gated: accept its terms at https://huggingface.co/org/private-GGUF, then retry"


def an_item(repo: str = "org/m-GGUF", quant: str = "Q4_K_M", gib: float = 2.0, **more: Any) -> Item:
    """One item of the list; `shards` files, or the one named `file`."""
    stem, shards = repo.partition("/")[2].removesuffix("-GGUF"), more.pop("shards", 1)
    names = [f"{quant}/{stem}-{quant}-{n:05d}-of-{shards:05d}.gguf" for n in range(1, shards + 1)]
    names = [more.pop("file", f"{stem}-{quant}.gguf")] if shards == 1 else names
    files = tuple(Wanted(name, round(gib * GIB / shards), "ab12" * 16) for name in names)
    name = f"{repo}:{quant}"
    known = {"id": "".join(filter(str.isalnum, name + names[0])), "name": name, "repo": repo, "revision": "main"}
    return Item(**{**known, "commit": "3fa9c1e" + "0" * 33, "files": files, **more})


def a_row(phase: Phase = "fetches", item: Item | None = None, done_gib: float = 0.5, **more: Any) -> Row:
    """One download."""
    return Row(item or an_item(), phase, round(done_gib * GIB), **more)


ALL = (
    a_row(
        "fetches", an_item("unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF", gib=18.6), 11.7, rate=42 * MIB, left_s=165.0
    ),
    a_row(
        "again", an_item("bartowski/Llama-3.3-70B-Instruct-GGUF", gib=42.5, shards=2), 3.1, reason=RESET, tries=3,
        last_reason=RESET, again_s=8,
    ),
    a_row("checks", an_item("ggml-org/gemma-3-12b-it-GGUF", "Q5_K_M", 8.4), 6.2, rate=900 * MIB, left_s=3.0),
    a_row("waits", an_item("ggml-org/gemma-3-12b-it-GGUF", "F16", 0.8, file="mmproj-model-f16.gguf"), 0),
    a_row("paused", an_item("mistralai/Devstral-Small-2507_gguf", "Q6_K", 19.3), 2.2),
    a_row("fetches", an_item("org/SmolLM2-135M-GGUF", "Q8_0", 0.1), 0.05, rate=0, elsewhere=4121),
    a_row("failed", an_item("org/private-GGUF", gib=4.0), 0, reason=GATED),
    a_row("done", an_item("ggml-org/Qwen3-0.6B-GGUF", "Q8_0", 0.6, path="/models/Qwen3-0.6B-Q8_0.gguf"), 0.6),
)  # fmt: skip
"""One of every kind."""
