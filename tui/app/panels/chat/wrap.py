"""Breaks styled text into lines of a given width in terminal cells, never inside a character that a person sees as one.

Words stay whole where they fit; Chinese, Japanese and Korean text breaks between characters, with closing marks kept on
the line before and opening ones on the line after. A word longer than the width is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

from tui.app.panels.chat.lines import Line, Run

Cluster = tuple[int, int, int]
Span = tuple[int, int, str | None]
"""Start and end of a line in the text, and the joint before it (see `Line.joint`)."""

_KEPT_LENGTH = 256
"""Longer texts are not worth the memory that remembering them takes."""
MIN_WIDTH = 4
"""Nothing is wrapped to less: the widest emoji sequences need this much."""

_NO_LINE_START = frozenset("、。，．：；？！）］｝」』】〕〉》〗〙’”…‥ー々〜％℃・")
_NO_LINE_END = frozenset("（［｛「『【〔〈《〖〘‘“￥＄")


def graphemes(text: str) -> Sequence[Cluster]:
    """(start, end, cells) of each user-perceived character. Widths add up to Rich's measure of `steady` text."""
    return _graphemes(text) if len(text) <= _KEPT_LENGTH else _graphemes.__wrapped__(text)


@lru_cache(maxsize=2048)
def _graphemes(text: str) -> tuple[Cluster, ...]:
    found: list[Cluster] = []
    joins = flag_open = False
    for index, character in enumerate(text):
        cells = get_character_cell_size(character)
        is_flag = "\U0001f1e6" <= character <= "\U0001f1ff"
        part = (not cells and character != "\t") or (joins and _is_emoji(character)) or (is_flag and flag_open)
        if part and found:
            start, _, before = found[-1]
            found[-1] = (start, index + 1, before + cells)
        else:
            found.append((index, index + 1, cells))
        flag_open = is_flag and not part
        joins = character == "\u200d" and _is_emoji(text[found[-1][0]])
    return tuple(found)


def _is_emoji(character: str) -> bool:
    """Whether a joiner makes this character part of an emoji sequence."""
    return "\u2190" <= character <= "\u2bff" or "\U0001f000" <= character <= "\U0001faff"


def wrap(runs: Sequence[Run], width: int) -> list[Line]:
    """Lines of at most `width` cells. Newlines in the text break lines too; at least one line is returned."""
    text = "".join([text for text, _ in runs])
    return cut(runs, spans(text, max(width, MIN_WIDTH)))


def wrap_hard(runs: Sequence[Run], width: int) -> list[Line]:
    """Like `wrap`, but cut exactly at the width with every blank kept: for code."""
    text = "".join([text for text, _ in runs])
    return cut(runs, hard_spans(text, max(width, MIN_WIDTH)))


def spans(text: str, width: int) -> list[Span]:
    """Where the lines of `text` start and end when words are kept whole."""
    if "\n" not in text:
        return _line_spans(text, 0, width)
    found: list[Span] = []
    start = 0
    for part in text.split("\n"):
        found.extend(_line_spans(part, start, width))
        start += len(part) + 1
    return found


def _line_spans(text: str, offset: int, width: int) -> list[Span]:
    if text.isascii():
        return _ascii_spans(text, offset, width)
    if cell_len(text) <= width:
        return [(offset, offset + len(text), None)]
    return _wide_spans(text, offset, width)


def _ascii_spans(text: str, offset: int, width: int) -> list[Span]:
    found: list[Span] = []
    start, length = 0, len(text)
    joint: str | None = None
    while length - start > width:
        blank = text.rfind(" ", start, start + width + 1)
        end = len(text[start:blank].rstrip(" ")) + start if blank > start else start
        if end <= start:  # one word wider than the line
            found.append((offset + start, offset + start + width, joint))
            start, joint = start + width, ""
            continue
        found.append((offset + start, offset + end, joint))
        start = length - len(text[blank:].lstrip(" "))
        joint = text[end:start]
    if start < length or not found:
        found.append((offset + start, offset + length, joint))
    return found


def _wide_spans(text: str, offset: int, width: int) -> list[Span]:
    """Greedy breaking by grapheme; `good` is the last place where a line may end."""
    found: list[Span] = []
    joint: str | None = None
    start = cells = 0
    good: tuple[int, int] | None = None  # end of the line, start of the next
    clusters = graphemes(text)
    index = 0
    while index < len(clusters):
        first, last, size = clusters[index]
        if text[first] == " ":
            blanks = first
            while index < len(clusters) and text[clusters[index][0]] == " ":
                cells += clusters[index][2]
                last = clusters[index][1]
                index += 1
            if blanks > start:
                good = (blanks, last)
            continue
        if first > start and _may_break(text, clusters, index):
            good = (first, first)
        if cells + size > width and first > start:
            end, following = good or (first, first)
            if end == first and cells > width:  # blanks alone are wider than the line
                end = start
            found.append((offset + start, offset + end, joint))
            joint = text[end:following]
            start, good, cells = following, None, cell_len(text[following:first])
            continue
        cells += size
        index += 1
    end = len(text) if cells <= width else max(start, len(text.rstrip(" ")))
    found.append((offset + start, offset + end, joint))
    return found


def _may_break(text: str, clusters: Sequence[Cluster], index: int) -> bool:
    """Whether a line may end before this grapheme although no blank stands there."""
    before, after = clusters[index - 1], clusters[index]
    if before[2] < 2 and after[2] < 2:
        return False
    left, right = text[before[0]], text[after[0]]
    return right not in _NO_LINE_START and left not in _NO_LINE_END and left != " "


def hard_spans(text: str, width: int) -> list[Span]:
    """Where the lines of `text` start and end when it is cut at the width alone."""
    if text.isascii():
        starts = range(0, max(len(text), 1), width)
        return [(start, min(start + width, len(text)), "" if start else None) for start in starts]
    found: list[Span] = []
    start = cells = 0
    for first, _, size in graphemes(text):
        if cells + size > width and first > start:
            found.append((start, first, "" if found else None))
            start, cells = first, 0
        cells += size
    found.append((start, len(text), "" if found else None))
    return found


def cut(runs: Sequence[Run], where: Sequence[Span]) -> list[Line]:
    """The runs cut into the given spans of their joined text. Spans are in order and do not overlap."""
    if len(runs) == 1:
        text, style = runs[0]
        return [Line(((text[start:end], style),) if end > start else (), joint) for start, end, joint in where]
    made: list[Line] = []
    index = position = 0  # the run that `position`, its first character's place, belongs to
    for start, end, joint in where:
        while index < len(runs) and position + len(runs[index][0]) <= start:
            position += len(runs[index][0])
            index += 1
        pieces: list[Run] = []
        at, origin = index, position
        while at < len(runs) and origin < end:
            text, style = runs[at]
            piece = text[max(start - origin, 0) : end - origin]
            if piece:
                pieces.append((piece, style))
            origin += len(text)
            at += 1
        made.append(Line(tuple(pieces), joint))
    return made


def clip(text: str, width: int, ellipsis: str) -> str:
    """The text on one line of at most `width` cells; an ellipsis stands for what is left out."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, cells = 0, cell_len(ellipsis)
    for _, end, size in graphemes(text):
        if cells + size > width:
            break
        kept, cells = end, cells + size
    return text[:kept] + ellipsis
