"""Text for the screen: what `tui.config.plain` makes harmless, with emoji and tabs as the cells that they really take.

Everything that a model, a file or another program wrote passes through here, one line at a time, before it is measured
or drawn. Visible text is never dropped.
"""

from __future__ import annotations

import re

from tui.config.plain import clean, clean_lines, unify_newlines, without_controls

__all__ = [
    "TAB_COLUMNS",
    "clean",
    "clean_lines",
    "expand_tabs",
    "one_line",
    "steady",
    "unify_newlines",
    "without_controls",
]

TAB_COLUMNS = 4

# The joiner (Rich measures what follows it as nothing), variation selectors, skin tones.
_SEQUENCE_MARKS = r"[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]"


def one_line(text: str) -> str:
    """A name, a title or a note, ready to be drawn on one line."""
    return steady(clean(text)).replace("\t", " ")


def steady(text: str) -> str:
    """Emoji sequences as their parts: terminals disagree on how wide the sequences are, and a wrong guess shifts all
    that stands to the right of them. Without its joiners, other text is as wide as the sum of its characters."""
    return text if text.isascii() else re.sub(_SEQUENCE_MARKS, "", text)


def expand_tabs(text: str) -> str:
    """Tabs as blanks, to stops of four columns."""
    return text.expandtabs(TAB_COLUMNS) if "\t" in text else text
