"""How things look: the app's theme and signs, and the base of every widget that draws its own lines.

Kept apart from what the app does, so that a panel can be shown, and tested, in an app of nothing but looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, cast

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.filter import NoColor
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from tui.app.glyphs import AsciiGlyphs, Glyphs
from tui.app.themes import DEFAULT, TERMINAL, ThemeBook, ThemeError


class LookApp(App[int], inherit_bindings=False):
    """An app with puna's themes instead of Textual's, and one of the two sets of signs."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, book: ThemeBook, *, theme: str = "", ascii_only: bool = False) -> None:
        self.book = book
        super().__init__(ansi_color=None)
        wanted = theme or DEFAULT
        self.theme_problem: ThemeError | None = None
        if self.no_color or self.few_colors:
            wanted = TERMINAL
        chosen, self.theme_problem = book.get_or_default(wanted)
        self._fallback = chosen
        # Before the first frame the theme is set without its watcher, which would parse all styles a second time.
        self.set_reactive(App.theme, chosen.name)
        self.stylesheet.set_variables(self.get_css_variables())
        self.set_class(chosen.dark, "-dark-mode", update=False)
        self.set_class(not chosen.dark, "-light-mode", update=False)
        self._refresh_truecolor_filter(self.ansi_theme)
        if self.no_color:
            self._filters = [*self._filters[:1], NoColor()]
        self.glyphs: Glyphs = AsciiGlyphs() if ascii_only else Glyphs()
        ScrollBar.renderer = AsciiScrollBar if ascii_only else ScrollBarRender
        self.set_class(ascii_only, "-ascii", update=False)

    @property
    def few_colors(self) -> bool:
        """True in a terminal of sixteen colours or fewer."""
        return self.console.color_system in (None, "standard", "windows")

    @property
    def available_themes(self) -> dict[str, Theme]:
        """Only puna's themes; before one is chosen, the one that Textual asks for, so that it can start."""
        if not hasattr(self, "_fallback"):
            return super().available_themes
        return {**self.book.loaded(), self._fallback.name: self._fallback}

    def to_terminal(self, sequence: str) -> None:
        """Send an escape sequence as it is."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def wear(self, name: str) -> None:
        """Change the theme now; raises ThemeError when its file is bad."""
        self.book.get(name)
        self.theme = name


class AsciiScrollBar(ScrollBarRender):
    """A scroll bar without the eighths of a block that smooth its ends."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def wants_ascii(asked: bool) -> bool:
    """ASCII signs when asked for, and where the terminal's text is not UTF-8."""
    import locale

    if asked:
        return True
    return "utf" not in locale.getpreferredencoding(False).lower()


class Drawn(Widget):
    """A widget that draws its own lines. `pen` gives a style of the theme on this widget's own background."""

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None, disabled: bool = False
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._pens: dict[tuple[str, str, str], Style] = {}

    @property
    def glyphs(self) -> Glyphs:
        """The app's set of signs."""
        return cast("LookApp", self.app).glyphs

    def pen(self, color: str = "foreground", attributes: str = "", on: str = "") -> Style:
        """A style: a colour of the theme ("muted", "meter-used"), attributes such as "bold", a background."""
        key = (color, attributes, on)
        style = self._pens.get(key)
        if style is None:
            style = self._pens[key] = self._make_pen(color, attributes, on)
        return style

    def _make_pen(self, color: str, attributes: str, on: str) -> Style:
        variables = self.app.theme_variables
        back = Color.parse(variables[on]) if on else None
        if back is not None and (back.ansi is not None or not back.a):
            return self.rich_style + Style.parse(f"{attributes} reverse")  # sixteen colours: one bar, without accents
        style = self.rich_style + Style.from_color(Color.parse(variables[color]).rich_color)
        if back is not None:
            style += Style.from_color(bgcolor=back.rich_color)
        return style + Style.parse(attributes) if attributes else style

    def notify_style_update(self) -> None:
        """Forget the pens: the theme, or the styles of this widget or its ancestors, have changed."""
        self._pens.clear()
        super().notify_style_update()

    def line(self, segments: Iterable[Segment], width: int | None = None) -> Strip:
        """Segments as a strip of exactly the widget's width."""
        return Strip(segments).adjust_cell_length(self.size.width if width is None else width, self.pen())
