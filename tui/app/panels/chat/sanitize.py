"""Makes text from outside safe to draw: no escape sequence or control character of it reaches a terminal.

Everything that a model, a file or another program wrote passes through here, one line at a time, before it is measured
or drawn. Visible text is never dropped.
"""

from __future__ import annotations

import re

TAB_COLUMNS = 4

# Whole sequences first, so that the letters inside them do not stay behind as text. A string sequence counts only with
# its terminator: without one, the rest of the line is text that a person wants to see.
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
# Soft hyphen, marks that reorder or hide text, the byte order mark, tag characters.
_INVISIBLE = r"[\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
_SEPARATOR = r"[\u2028\u2029\x85]"
_SURROGATE = r"[\ud800-\udfff]"
# The joiner (Rich measures what follows it as nothing), variation selectors, skin tones.
_SEQUENCE_MARKS = r"[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]"
# More marks than this on one cell draw over the lines around it.
_PILED_MARKS = (
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{8})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# Patterns stay texts, compiled when first used: most text needs none, and this module is part of the first frame.


def clean(text: str) -> str:
    """One line of text without anything that a terminal would obey. Tabs stay; see `expand_tabs`."""
    if text.isprintable():
        return re.sub(_PILED_MARKS, r"\1", text) if not text.isascii() else text
    text = re.sub(_SEPARATOR, " ", text)
    text = without_controls(text.replace("\n", " "))
    return re.sub(_PILED_MARKS, r"\1", re.sub(_INVISIBLE, "", text))


def without_controls(text: str) -> str:
    """Text of one or more lines without escape sequences and control characters; tabs, newlines and everything that a
    person can have meant stay."""
    text = re.sub(_SEQUENCE, "", text)
    text = re.sub(_CONTROL, "", text)
    return re.sub(_SURROGATE, "\ufffd", text)


def clean_lines(text: str) -> list[str]:
    """Text of several lines, each of them clean, whatever line ends it uses."""
    return [clean(part) for part in unify_newlines(text).split("\n")]


def one_line(text: str) -> str:
    """A name, a title or a note, ready to be drawn on one line."""
    return steady(clean(text)).replace("\t", " ")


def unify_newlines(text: str) -> str:
    """Every line end as a single newline character."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def steady(text: str) -> str:
    """Emoji sequences as their parts: terminals disagree on how wide the sequences are, and a wrong guess shifts all
    that stands to the right of them. Without its joiners, other text is as wide as the sum of its characters."""
    return text if text.isascii() else re.sub(_SEQUENCE_MARKS, "", text)


def expand_tabs(text: str) -> str:
    """Tabs as blanks, to stops of four columns."""
    return text.expandtabs(TAB_COLUMNS) if "\t" in text else text
