"""What native code logs when memory could not be had. Imports no llama_cpp: front ends ask, too."""

from __future__ import annotations

from collections.abc import Iterable

_SIGNS = ("failed to allocate", "unable to allocate", "out of memory", "bad_alloc", "not enough memory")


def tell_of_memory(lines: Iterable[str]) -> bool:
    """True when one of these lines says that memory could not be had."""
    return any(sign in line.lower() for line in lines for sign in _SIGNS)
