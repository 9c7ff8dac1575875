"""Markdown from strangers made plain: no HTML, no pictures, no links but to the web, nothing that a terminal obeys.

It reads a text once, line by line, and takes time in proportion to its length whatever is in it. Code is left as it
is. What is thrown away is what a page would not show, and what a terminal cannot.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from tui.config.plain import clean_lines, one_line

_FENCE = re.compile(r"[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)?(`{3,}|~{3,})(.*)")
_HIDDEN = re.compile(r"<!--|<(script|style|svg)\b", re.IGNORECASE)
"""Begins what no page shows as text."""
_TICKS = re.compile(r"(`+)")
_IMAGE = re.compile(r"!\[([^\[\]\n]*)\](?:\((?:[^()\n]|\([^()\n]*\))*\)|\[[^\[\]\n]*\])")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})((?:\s[^<>]*)?)/?>")
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_AUTOLINK = re.compile(r"<(https?://[^<>\s]+)>")
_MARKUP = re.compile(r"<(?=[a-zA-Z/!?])")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_LINK = re.compile(r"\[([^\[\]\n]*)\]\(((?:[^()\n]|\([^()\n]*\))*)\)")
_DEFINITION = re.compile(r"^ {0,3}\[[^\[\]\n]+\]:[ \t]*(\S+).*$", re.MULTILINE)
_WEB = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_BLANKS = re.compile(r"\n(?:[ \t]*\n){2,}")
_KEPT = "\ue000{}\ue001"
"""Stands for a piece of code while the text around it is changed."""
_KEPT_PLACE = re.compile(r"\ue000(\d+)\ue001")

_BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl"),
        *("dt", "figcaption", "figure", "footer", "header", "html", "main", "nav", "ol", "p", "pre", "section"),
        *("summary", "table", "tbody", "tfoot", "thead", "tr", "ul", "video", "audio", "picture"),
    }
)
_INLINE = frozenset(
    {
        *("a", "abbr", "b", "big", "cite", "del", "em", "font", "i", "ins", "mark", "q", "s", "samp", "small"),
        *("source", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr"),
    }
)
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_CODE = frozenset({"code", "kbd"})


def plain_markdown(text: str) -> str:
    """`text` as Markdown that only shows; lines end in single newline characters."""
    pieces = _pieces(line.replace("\ue000", "").replace("\ue001", "") for line in clean_lines(text))
    plain = "\n".join(body if is_code else _plain(body) for is_code, body in pieces)
    return _BLANKS.sub("\n\n", plain).strip("\n")


def _pieces(lines: Iterable[str]) -> Iterator[tuple[bool, str]]:
    """The text in pieces, each with whether it is a block of code; what no page shows is left out."""
    prose: list[str] = []
    code: list[str] = []
    fence, until = "", ""
    for line in lines:
        if fence:
            code.append(line)
            found = _FENCE.fullmatch(line)
            if found and found[1].startswith(fence) and not found[2].strip():
                yield True, "\n".join(code)
                fence, code = "", []
            continue
        line, until = _shown(line, until)
        found = _FENCE.fullmatch(line)
        # A line of backticks with more of them behind is a piece of code within its line.
        if found and not (found[1][0] == "`" and "`" in found[2]):
            yield False, "\n".join(prose)
            fence, prose, code = found[1], [], [line]
        else:
            prose.append(line)
    if prose:
        yield False, "\n".join(prose)
    if code:
        yield True, "\n".join(code)


def _shown(line: str, until: str) -> tuple[str, str]:
    """What of a line is shown, and what ends the hidden part that it leaves open. `until` is what the line before it
    left open.
    """
    shown: list[str] = []
    while True:
        if until:
            place = line.lower().find(until)
            if place < 0:
                return "".join(shown), until
            line = line[place + len(until) :]
        found = _HIDDEN.search(line)
        if found is None:
            return "".join((*shown, line)), ""
        shown.append(line[: found.start()])
        line = line[found.end() :]
        until = f"</{found[1].lower()}>" if found[1] else "-->"


def _plain(prose: str) -> str:
    """Text between blocks of code."""
    code: list[str] = []
    text = _without_code(prose, code)
    text = _IMAGE.sub(lambda found: found[1], text)
    if "<" in text:
        text = _without_tags(text)
    text = _ENTITY.sub(_character, text)
    text = _LINK.sub(_link, text)
    text = _DEFINITION.sub(lambda found: found[0] if _WEB.fullmatch(found[1]) else "", text)
    return _KEPT_PLACE.sub(lambda found: code[int(found[1])], text)


def _without_code(prose: str, code: list[str]) -> str:
    """Pieces of code, in ticks of the same number, put aside in `code`; none goes on beyond an empty line."""
    made: list[str] = []
    for paragraph in re.split(r"(\n[ \t]*\n)", prose):
        parts = _TICKS.split(paragraph)
        place = 0
        while place < len(parts):
            end = place
            if place % 2:
                end = next((at for at in range(place + 2, len(parts), 2) if parts[at] == parts[place]), place)
            if end > place:
                made.append(_KEPT.format(len(code)))
                code.append("".join(parts[place : end + 1]))
            else:
                made.append(parts[place])
            place = end + 1
    return "".join(made)


def _without_tags(text: str) -> str:
    """HTML as text: what stands in it, broken into lines as a page would; what is no HTML is shown as it is."""
    # A row of a table is one line.
    lines = (_BREAK.sub(" ", line) if line.lstrip().startswith("|") else line for line in text.split("\n"))
    made = _TAG.sub(_tag, "\n".join(lines))
    if made != text:
        # What HTML was indented by would make it code.
        made = "\n".join(line.lstrip() for line in made.split("\n"))
    return _MARKUP.sub(r"\\<", _AUTOLINK.sub(r"\1", made))


def _tag(found: re.Match[str]) -> str:
    closing, name, attributes = bool(found[1]), found[2].lower(), found[3]
    if name == "img":
        alt = _ALT.search(attributes)
        return (alt[1] or alt[2] or "") if alt is not None else ""
    if name in _HEADINGS:
        return "\n\n" if closing else f"\n\n{_HEADINGS[name]} "
    if name in _CODE:
        return "`"
    plain = {"br": "  \n", "hr": "\n\n---\n\n", "li": "" if closing else "\n- ", "td": " ", "th": " "}
    if name in plain:
        return plain[name]
    return "\n\n" if name in _BLOCKS else "" if name in _INLINE else found[0]


def _character(found: re.Match[str]) -> str:
    """What an entity means, so that it means nothing more."""
    character = one_line(html.unescape(found[0])) or " "
    return f"\\{character}" if character in "<>&*_`[]()#|!\\" else character


def _link(found: re.Match[str]) -> str:
    """A link to the web, its title left out; of any other, and of one without words, the words."""
    words, target = found[1], found[2].strip().partition(" ")[0].strip("<>")
    return f"[{words}]({target})" if words.strip() and _WEB.fullmatch(target) else words
