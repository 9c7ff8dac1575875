"""What a GGUF file's name tells: its quantization, its place among shards, and whether it is a model at all.

Names are given by people, so nothing here is certain; the header decides where it says something.
"""

from __future__ import annotations

import re

_QUANT = re.compile(
    r"(?<![A-Za-z0-9])"
    r"((?:UD[-_])?"
    r"(?:I?Q[1-8](?:_[01K])(?:_(?:XXS|XS|XL|S|M|L))?(?:_[48]_[48])?"
    r"|I?Q[1-8]_(?:XXS|XS|XL|NL|S|M)"
    r"|TQ[12]_0|BF16|F?P?16|FP?32|MXFP4(?:_MOE)?|NVFP4))"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)

_SHARD = re.compile(r"(?P<stem>.+)-(?P<index>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE | re.DOTALL)

_PROJECTOR = re.compile(r"(?<![A-Za-z0-9])mm[-_]?proj(?![A-Za-z0-9])", re.IGNORECASE)

_IMATRIX = re.compile(r"(?<![A-Za-z0-9])imatrix(?![A-Za-z0-9])", re.IGNORECASE)

_DRAFT = re.compile(r"(?<![A-Za-z0-9])(?:draft|mtp)(?![A-Za-z0-9])", re.IGNORECASE)


def quant_of(filename: str) -> str | None:
    """The quantization that a file name names, in capitals; None without one. Of several the last one counts: in
    `model-F32-Q2_K.gguf` F32 is what it was made from."""
    labels = _QUANT.findall(filename.rpartition("/")[2])
    if not labels:
        return None
    return re.sub(r"^F?P?(16|32)$", r"F\1", labels[-1].upper()).replace("UD_", "UD-")


def same_quant(one: str, other: str) -> bool:
    """True when two labels mean the same quantization; the mark of dynamic ones (UD-) may be left out."""
    return one.upper().removeprefix("UD-") == other.upper().removeprefix("UD-")


def shard_of(filename: str) -> tuple[str, int, int] | None:
    """`(stem, number, count)` of `stem-00001-of-00003.gguf`, numbers from 1; None for a file that is whole."""
    found = _SHARD.fullmatch(filename.rpartition("/")[2])
    if found is None:
        return None
    index, count = int(found["index"]), int(found["count"])
    return (found["stem"], index, count) if 1 <= index <= count else None


def shard_name(stem: str, index: int, count: int) -> str:
    """The name llama.cpp looks for (`llama_split_path`)."""
    return f"{stem}-{index:05d}-of-{count:05d}.gguf"


def stem_of(filename: str) -> str:
    """A file's name without its folder, its suffix and its shard number."""
    shard = shard_of(filename)
    if shard is not None:
        return shard[0]
    name = filename.rpartition("/")[2]
    return name[: -len(".gguf")] if name.lower().endswith(".gguf") else name


def is_projector(filename: str) -> bool:
    """True for the image or sound encoder that belongs to a model (`mmproj-…`)."""
    return bool(_PROJECTOR.search(filename.rpartition("/")[2]))


def is_imatrix(filename: str) -> bool:
    """True for the statistics that quantizing needs; no program can run them."""
    return bool(_IMATRIX.search(filename.rpartition("/")[2])) and quant_of(filename) is None


def is_draft(filename: str) -> bool:
    """True for a small model that guesses the next tokens of another one (a draft, or a multi-token predictor)."""
    return bool(_DRAFT.search(filename.rpartition("/")[2]))
