"""Lines of widgets that draw all of themselves: what Textual puts around a line costs as much as a line of a list.

It looks for borders, padding, outlines, tints and hatches anew for each line; where there are none, there is nothing to
add. Kept apart, as it stands on Textual's own parts: whoever moves to another version of it looks here.
"""

from __future__ import annotations

from typing import Any

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.styles import StylesBase
from textual.geometry import Size
from textual.strip import Strip


class BareLines(StylesCache):
    """Keeps lines as the usual one does; a widget without frame and effects gives each as it is."""

    def render_line(
        self,
        styles: StylesBase,
        y: int,
        size: Size,
        content_size: Size,
        padding: Any,
        base_background: Color,
        background: Color,
        render_content_line: Any,
        border_title: Any,
        border_subtitle: Any,
        opacity: float,
        *looks: Any,
    ) -> Strip:
        if size == content_size and opacity == 1.0:
            inner, _ = self.get_inner_outer(base_background, background)
            line: Strip = render_content_line(y)
            return line.adjust_cell_length(size.width, inner.rich_style)
        titles = border_title, border_subtitle
        return super().render_line(
            styles, y, size, content_size, padding, base_background, background, render_content_line, *titles, opacity,
            *looks,
        )  # fmt: skip
