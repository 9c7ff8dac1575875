"""Markdown from strangers made plain: no HTML, no pictures, no links but to the web, nothing that a terminal obeys.

It reads a text once, line by line, and takes time in proportion to its length whatever is in it. Code is left as it
is. Where Markdown can be read in two ways the text is written so that only one is left: what a renderer takes for code
has to be what was left alone here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tui.config.plain import clean_lines, one_line
from tui.hub.tags import without_tags

_FENCE = re.compile(r"([\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)?)(`{3,}|~{3,})(.*)")
_QUOTE = re.compile(r"\s*(?:>\s?)+")
_HIDDEN = re.compile(r"<!--|<(script|style|svg)\b", re.IGNORECASE)
"""Begins what no page shows as text."""
_ENDINGS = {
    "": re.compile("-->"),
    **{name: re.compile(f"</{name}>", re.IGNORECASE) for name in ("script", "style", "svg")},
}
_TICKS = re.compile(r"(`+)")
_TARGET = r"\(((?:[^()]|\([^()]*\))*)\)"
_IMAGE = re.compile(rf"!\[([^\[\]]*)\](?:{_TARGET}|\[[^\[\]]*\])")
_LINK = re.compile(rf"\[([^\[\]]*)\]{_TARGET}")
_DEFINITION = re.compile(r"^ {0,3}\[[^\[\]\n]+\]:[ \t]*(\S+).*$", re.MULTILINE)
_UNSURE = re.compile(r"!(?=\[)|\](?=[(:])")
"""What else may begin a picture, a link or a definition."""
_ENTITY = re.compile(r"(\\*)(&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});)")
_WEB = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_BLANKS = re.compile(r"\n(?:[ \t]*\n){2,}")
_KEPT_PLACE = re.compile(r"\ue000(\d+)\ue001")
"""Stands for what was put aside while the text around it is changed."""
_LONGEST_ADDRESS = 2000
_SPECIAL = frozenset(">*_`[]()#|!~\\")
_NAMED = {"<": "&lt;", "&": "&amp;"}


def plain_markdown(text: str) -> str:
    """`text` as Markdown that only shows; lines end in single newline characters."""
    pieces = _pieces(line.replace("\ue000", "").replace("\ue001", "") for line in clean_lines(text))
    plain = "\n".join(body if is_code else _plain(body) for is_code, body in pieces)
    return _BLANKS.sub("\n\n", plain).strip("\n").rstrip()


@dataclass
class _Fence:
    """A block of code that is being read."""

    mark: str
    in_quote: bool
    lines: list[str]

    def take(self, line: str) -> bool:
        """One more line; False when it ends the block."""
        found = _FENCE.fullmatch(line)
        if found and found[2].startswith(self.mark) and not found[3].strip():
            return False
        self.lines.append(_QUOTE.sub("", line, count=1) if self.in_quote else line)
        return True

    @property
    def block(self) -> str:
        """Written from the first column on, where nothing can be taken for its end but its end."""
        return "\n".join((*self.lines, self.mark))


def _pieces(lines: Iterable[str]) -> Iterator[tuple[bool, str]]:
    """The text in pieces, each with whether it is a block of code; what no page shows is left out."""
    prose: list[str] = []
    fence: _Fence | None = None
    until = None
    for line in lines:
        left = fence is not None and fence.in_quote and not line.lstrip().startswith(">")
        if fence is not None and (left or not fence.take(line)):
            yield True, fence.block
            fence = None
            if not left:
                continue
        if fence is None:
            line, until = _shown(line, until)
            fence = _opened(line)
            if fence is None:
                prose.append(line)
            elif prose:
                yield False, "\n".join(prose)
                prose = []
    yield (True, fence.block) if fence is not None else (False, "\n".join(prose))


def _opened(line: str) -> _Fence | None:
    """The block of code that begins here. A line of backticks with more of them behind is code within its line."""
    found = _FENCE.fullmatch(line)
    if found is None or (found[2][0] == "`" and "`" in found[3]):
        return None
    language = re.match(r"[\w+#.-]*", found[3].strip())
    return _Fence(found[2], ">" in found[1], [found[2] + (language[0] if language is not None else "")])


def _shown(line: str, until: re.Pattern[str] | None) -> tuple[str, re.Pattern[str] | None]:
    """What of a line is shown, and what ends the hidden part that it leaves open. `until` is what the line before it
    left open.
    """
    shown: list[str] = []
    at = runs = 0
    while True:
        if until is not None:
            ending = until.search(line, at)
            if ending is None:
                return "".join(shown), until
            at = ending.end()
        found = _HIDDEN.search(line, at)
        if found is None:
            return "".join((*shown, line[at:])), None
        shown.append(line[at : found.start()])
        runs += len(_TICKS.findall(shown[-1]))
        at, until = found.end(), _ENDINGS[(found[1] or "").lower()]
        if runs % 2:  # within a piece of code
            shown.append(found[0])
            until = None


@dataclass
class _Aside:
    """Pieces of a text that are put aside, so that nothing changes them any more."""

    pieces: list[str] = field(default_factory=list)

    def put(self, piece: str) -> str:
        """What stands for it."""
        self.pieces.append(piece)
        return f"\ue000{len(self.pieces) - 1}\ue001"

    def back(self, text: str) -> str:
        """The text with all of them in it again: links first, then the code in their words."""

        def piece(found: re.Match[str]) -> str:
            apart = found.string[found.start() - 1 : found.start()] != "\ue001"
            before = found.string[max(0, found.start() - _LONGEST_ADDRESS) : found.start()]
            return ("" if apart and _may_open(before) else " ") + self.pieces[int(found[1])]

        return _KEPT_PLACE.sub(piece, _KEPT_PLACE.sub(piece, text))


def _plain(prose: str) -> str:
    """Text between blocks of code."""
    aside = _Aside()
    text = "\n".join(_without_code(line, aside) if "`" in line else line for line in prose.split("\n"))
    text = _ENTITY.sub(_character, text)
    text = _IMAGE.sub(r"\1", text)
    if "<" in text:
        text = without_tags(text)
        # Where a tag was, two halves may have become an entity.
        text = _ENTITY.sub(lambda found: found[0] if found[2] in _NAMED.values() else _literally(found), text)
    text = _LINK.sub(lambda found: _link(found, aside.put), text)
    text = _DEFINITION.sub(lambda found: aside.put(found[0]) if _WEB.fullmatch(found[1]) else "", text)
    return aside.back(_UNSURE.sub(r"\g<0>\\", text))


def _without_code(line: str, aside: _Aside) -> str:
    """A line with its pieces of code put aside, each in ticks of the same number; all other ticks mean themselves."""
    parts = _TICKS.split(line)
    made = [parts[0]]
    place = 1
    while place < len(parts):
        ends = (at for at in range(place + 2, len(parts), 2) if parts[at] == parts[place])
        end = next(ends, place) if _may_open(made[-1]) else place
        piece = "".join(parts[place : end + 1])
        if end == place or "|" in piece:  # a bar may end a cell of a table, and the code with it
            for at in range(place, end + 1):
                made.append(_literal(parts[at], made[-1]) if at % 2 else parts[at])
        else:
            made.append(aside.put(piece))
        made.append(parts[end + 1])
        place = end + 2
    return "".join(made)


def _may_open(before: str) -> bool:
    """Ticks behind a backslash open nothing, and ticks within an address belong to it."""
    word = before.rpartition("\n")[2].rpartition(" ")[2]
    return not (before.endswith("\\") or ":" in word or "www." in word.lower())


def _literal(ticks: str, before: str) -> str:
    escaped = (len(before) - len(before.rstrip("\\"))) % 2
    return ("`" if escaped else "\\`") + "\\`" * (len(ticks) - 1)


def _character(found: re.Match[str]) -> str:
    """What an entity means, so that it means nothing more; one behind a backslash is meant as it stands."""
    backslashes, entity = found[1], found[2]
    if len(backslashes) % 2:
        return _literally(found)
    character = one_line(html.unescape(entity)) or " "
    return backslashes + (f"\\{character}" if character in _SPECIAL else _NAMED.get(character, character))


def _literally(found: re.Match[str]) -> str:
    """An entity as it stands, a backslash that was there for that left out."""
    return f"{found[1][len(found[1]) % 2 :]}&amp;{found[2][1:]}"


def _link(found: re.Match[str], keep: Callable[[str], str]) -> str:
    """A link to the web, its title left out; of any other, and of one without words, the words."""
    words, target = found[1], found[2].strip().partition(" ")[0].strip("<>")
    return keep(f"[{words}]({target})") if words.strip() and _WEB.fullmatch(target) else words
