"""Which keys are characters that one types: where letters are typed, they do nothing else."""

from __future__ import annotations

from textual.keys import KEY_NAME_REPLACEMENTS

_RENAMED = frozenset(KEY_NAME_REPLACEMENTS.values())
"""Signs whose keys Textual gives names of its own, from which it cannot tell the sign: slash, plus, minus..."""


def is_typed(key: str, character: str | None) -> bool:
    """True where the key writes something."""
    if "alt+" in key:  # sent with its letter all the same
        return False
    return (character is not None and character.isprintable()) or key in _RENAMED
