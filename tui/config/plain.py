"""Text from outside made harmless: nothing of it that a terminal would obey is left, and all that a person could read.

Names of models, paths, error texts of native code, answers and whatever else this program did not write itself pass
through here before they are shown. On the lowest floor and light, because every floor shows such text; the tables are
the only ones of their kind.
"""

from __future__ import annotations

import re

# Whole sequences first, so that the letters inside them do not stay behind as text. A string sequence counts only with
# its terminator: without one, the rest of the line is text that a person wants to see.
_SEQUENCE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
# Soft hyphen, marks that reorder or hide text, the byte order mark, tag characters.
_INVISIBLE = r"[\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
_SEPARATOR = r"[\u2028\u2029\x85]"
_BREAK = r"\r\n|[\t-\r\x85\u2028\u2029]"
_SURROGATE = r"[\ud800-\udfff]"
# More marks than this on one cell draw over the lines around it.
_PILED_MARKS = (
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{8})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# Patterns stay texts, compiled when first used: most text needs none, and this module is part of the first frame.


def clean(text: str) -> str:
    """One line of text without anything that a terminal would obey and without marks that hide or reorder text. Tabs
    and the blanks between words stay."""
    if text.isprintable():
        return re.sub(_PILED_MARKS, r"\1", text) if not text.isascii() else text
    text = re.sub(_SEPARATOR, " ", text)
    text = without_controls(text.replace("\n", " "))
    return re.sub(_PILED_MARKS, r"\1", re.sub(_INVISIBLE, "", text))


def one_line(text: str) -> str:
    """A name, a title or a message, clean, with single spaces in place of any white space."""
    if not text.isprintable():
        text = re.sub(_BREAK, " ", text)
    return " ".join(clean(text).split())


def clean_lines(text: str) -> list[str]:
    """Text of several lines, each of them clean, whatever line ends it uses."""
    return [clean(part) for part in unify_newlines(text).split("\n")]


def lines(text: str) -> str:
    """Text of one or more lines, clean; its line ends become single newline characters."""
    return "\n".join(clean_lines(text))


def piece(text: str) -> str:
    """A piece of a text that comes bit by bit: each character is judged by itself, because a sequence may be torn.
    Tabs and newlines stay."""
    text = re.sub(f"{_CONTROL}|{_INVISIBLE}", "", text)
    return re.sub(_SURROGATE, "\ufffd", text)


def blanked(text: str) -> str:
    """As long as before, with a blank for each character that breaks a line or that a terminal would obey."""
    return re.sub(f"[\t\n]|{_CONTROL}|{_INVISIBLE}|{_SEPARATOR}|{_SURROGATE}", " ", text)


def without_controls(text: str) -> str:
    """Text of one or more lines without escape sequences and control characters; tabs, newlines and everything that a
    person can have meant stay."""
    text = re.sub(_SEQUENCE, "", text)
    text = re.sub(_CONTROL, "", text)
    return re.sub(_SURROGATE, "\ufffd", text)


def unify_newlines(text: str) -> str:
    """Every line end as a single newline character."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def escaped(document: str) -> str:
    """A JSON or TOML text whose strings hold nothing that a terminal would obey, and the same values: C1 controls, DEL,
    marks that reorder text and lone surrogates become escapes. The rest of C0 is escaped in any such text."""
    return re.sub(
        "[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]",
        lambda found: f"\\u{ord(found[0]):04x}",
        document,
    )
