"""Gives the style names of lines their looks, from a widget's component classes: here a theme becomes visible."""

from __future__ import annotations

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

from tui.app.panels.chat.lines import PIXELS

_ATTRIBUTES = {
    "strong": Style(bold=True),
    "em": Style(italic=True),
    "strike": Style(strike=True),
}
_CLASSES = {
    "h1": "heading",
    "h2": "heading",
    "h3": "subheading",
    "h4": "subheading",
    "h5": "subheading",
    "h6": "subheading",
}

_THEME_COLOURS = {
    "code": "code-function",
    "source": "code-name",
    "comment": "code-comment",
    "keyword": "code-keyword",
    "string": "code-string",
    "number": "code-number",
    "name": "code-function",
    "builtin": "code-type",
    "operator": "code-operator",
}
"""Colours that puna's own themes have for code; under any other theme the component classes alone decide."""


def _pixels(name: str) -> Style:
    _, upper, lower = f"{name}{PIXELS}".split(PIXELS)[:3]
    return Style(color=f"{PIXELS}{upper}", bgcolor=f"{PIXELS}{lower}" if lower else None)


class Palette:
    """Rich styles by name. Names are added up from left to right; an unknown one looks like plain text."""

    def __init__(self, widget: Widget, prefix: str, names: frozenset[str]) -> None:
        self._widget = widget
        self._prefix = prefix
        self._names = names
        self._styles: dict[str, Style] = {}

    def clear(self) -> None:
        """The theme has changed."""
        self._styles.clear()

    @property
    def base(self) -> Style:
        """How plain text looks."""
        return self[""]

    def __getitem__(self, names: str) -> Style:
        style = self._styles.get(names)
        if style is None and names.startswith(PIXELS):  # one of thousands, and kept with the strip it is in
            style = self.base + _pixels(names)
        elif style is None:
            style = self._widget.visual_style.rich_style
            for name in names.split():
                style += self._part(name)
            self._styles[names] = style
        return style

    def _part(self, name: str) -> Style:
        attributes = _ATTRIBUTES.get(name)
        if attributes is not None:
            return attributes
        name = _CLASSES.get(name, name)
        if name not in self._names:
            return Style.null()
        style = self._widget.get_visual_style(self._prefix + name).rich_style
        colour = self._widget.app.theme_variables.get(_THEME_COLOURS.get(name, ""))
        return style if colour is None else style + Style.from_color(Color.parse(colour).rich_color)
