"""Bytes as people read them, in one way everywhere: binary units, which are those of memory."""

from __future__ import annotations

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
UNITS = {"b": 1, "mb": 10**6, "gb": 10**9, "tb": 10**12, "mib": MIB, "gib": GIB, "tib": GIB << 10}
"""Bytes in each unit that a size may be given in, by its name in small letters."""
MOST_BYTES = 1 << 50
"""1 PiB: a thousand times the memory of the largest machines."""
LEAST_MEMORY_BYTES = 100 * MIB
"""Less than any machine or GPU that a model is laid out on has."""
_MOST_GIB = 4096
"""A number of bytes up to this was meant as GiB."""

_SIZE = r"\s*([0-9]{1,20})(?:\.([0-9]{1,9}))?\s*(b|mb|gb|tb|mib|gib|tib)?\s*"


def padded(size: int, multiple: int) -> int:
    """`size` rounded up to a multiple, of bytes or of anything else."""
    return -(-size // multiple) * multiple


def gib(size_bytes: int) -> str:
    """Bytes as GiB without the unit: 0.4, 31.2, 251."""
    value = size_bytes / GIB
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def size(size_bytes: int | None) -> str:
    """Bytes with their unit: 812 B, 93 MiB, 4.1 GiB; a question mark where they are not known."""
    if size_bytes is None:
        return "?"
    if size_bytes < KIB:
        return f"{size_bytes} B"
    if size_bytes < 999.5 * KIB:
        return f"{size_bytes / KIB:.0f} KiB"
    if size_bytes < 999.5 * MIB:
        return f"{size_bytes / MIB:.0f} MiB"
    return f"{gib(size_bytes)} GiB"


def parameters(count: int) -> str:
    """A model's size as its makers write it: 135 M, 7.2 B, 671 B."""
    number, unit = (count / 1e9, "B") if count >= 999.5e6 else (count / 1e6, "M")
    return f"{number:.1f} {unit}" if number < 99.95 else f"{number:.0f} {unit}"


def thousands(number: int) -> str:
    """12345 as "12 345"."""
    return f"{number:,}".replace(",", " ")


def parse_tokens(text: str) -> int:
    """Tokens as people write them: 8192, or 8k, which is 8 × 1024 as contexts are counted, or 1m.

    Raises ValueError in words for anything else.
    """
    import re  # only where a context was typed

    found = re.fullmatch(r"\s*(-?[0-9]{1,18})(\.[0-9]{1,6})?([km])?\s*", text, re.IGNORECASE | re.ASCII)
    if found is None or (found[2] and not found[3]):
        raise ValueError(f"{text[:40]!r} is no number of tokens; write it as 32768 or 32k, which is the same")
    factor = {"": 1, "k": KIB, "m": MIB}[(found[3] or "").lower()]
    return int(float(found[1] + found[2]) * factor) if found[2] else int(found[1]) * factor


def doubt(what: str, size_bytes: int) -> str:
    """A sentence about a size of memory that nobody can mean, since its unit was left out; empty for any other."""
    if size_bytes >= LEAST_MEMORY_BYTES:
        return ""
    meant = f"; did you mean {size_bytes}GiB?" if 0 < size_bytes < _MOST_GIB else ""
    return f"{what} has {size(size_bytes)} of memory, which holds no model{meant}"


def parse_size(text: str) -> int:
    """Bytes of a size as people write it: 24GiB, 1.5 GiB, 512MiB, 2TiB, 24GB, 800MB, or a plain number of bytes.

    Raises ValueError in words for anything else, and for more than MOST_BYTES.
    """
    import re  # only where a size was typed

    found = re.fullmatch(_SIZE, text, re.IGNORECASE | re.ASCII)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a size; write it as 24GiB, 512MiB, 24GB, 800MB or a number of bytes")
    whole, fraction, unit = found[1], found[2] or "", (found[3] or "b").lower()
    if unit == "b" and fraction:
        raise ValueError(f"{text[:40]!r} is not a size: bytes come whole; write 24GiB, 512MiB, 24GB or 800MB")
    count: int = int(whole + fraction) * UNITS[unit] // 10 ** len(fraction)
    if count > MOST_BYTES:
        raise ValueError(f"{text[:40]!r} is more memory than any machine has; the most is {MOST_BYTES // GIB} GiB")
    return count
