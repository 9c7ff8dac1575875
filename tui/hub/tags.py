"""HTML within Markdown as text: what stands in it, broken into lines as a page would break it. No HTML is left."""

from __future__ import annotations

import re

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})((?:\s[^<>]*)?)/?>")
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_AUTOLINK = re.compile(r"<(https?://[^<>\s]+)>")
_MARKUP = re.compile(r"(\\*)<(?=[a-zA-Z/!?])")
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
        *("source", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr", "code", "kbd"),
    }
)
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_PLAIN = {"br": "  \n", "hr": "\n\n---\n\n", "td": " ", "th": " ", "/li": "", "li": "\n- "}


def without_tags(text: str) -> str:
    """`text` without tags; what looks like one and is none in HTML is shown as it stands."""
    # A row of a table is one line.
    lines = (_BREAK.sub(" ", line) if line.lstrip().startswith("|") else line for line in text.split("\n"))
    made = _TAG.sub(_tag, "\n".join(lines))
    if made != text:
        # What HTML was indented by would make it code.
        made = "\n".join(line.lstrip() for line in made.split("\n"))
    return _MARKUP.sub(_literal, _AUTOLINK.sub(r"\1", made))


def _literal(found: re.Match[str]) -> str:
    """By name, which means the same wherever it stands; a backslash is lost to an address before it."""
    return found[1][len(found[1]) % 2 :] + "&lt;"


def _tag(found: re.Match[str]) -> str:
    closing, name, attributes = found[1], found[2].lower(), found[3]
    if name == "img":
        alt = _ALT.search(attributes)
        return (alt[1] or alt[2] or "") if alt is not None else ""
    if name in _HEADINGS:
        return "\n\n" if closing else f"\n\n{_HEADINGS[name]} "
    if name in _BLOCKS:
        return "\n\n"
    if name in _INLINE:
        return ""
    return _PLAIN.get(closing + name, _PLAIN.get(name, found[0]))
