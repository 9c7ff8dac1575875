"""What people call a graphics card: the words of its name that tell it from others."""

from __future__ import annotations

UNNAMED = "GPU"

_NOISE = frozenset(
    (
        *("nvidia", "geforce", "rtx", "gtx", "quadro", "tesla", "amd", "radeon", "instinct", "intel", "apple"),
        *("corporation", "graphics", "gpu", "pcie", "sxm", "hbm2", "hbm2e", "hbm3", "hbm3e", "nvl"),
        *("generation", "edition"),
    )
)


def card_name(name: str | None) -> str:
    """A card's name without its maker, its family and its memory: "NVIDIA H100 80GB HBM3" is H100, "NVIDIA
    A100-SXM4-40GB" is A100. What makes it another card (Ti, Pro, Laptop) stays."""
    words = (name or "").replace("(R)", " ").replace("(TM)", " ").replace("-SXM", " SXM")
    for sign in "()":
        words = words.replace(sign, " ")
    return " ".join(word for word in words.split() if word.lower() not in _NOISE and not _is_size(word)) or UNNAMED


def _is_size(word: str) -> bool:
    low = word.lower()
    return low.startswith("sxm") or (low.endswith(("gb", "gib")) and low[:1].isdigit())
