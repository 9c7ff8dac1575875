"""Themes: TOML files, shipped ones and the person's own, made into Textual themes with the names that our styles use.

Reading one file costs a millisecond and reading all of them a dozen, so before the first frame only the chosen one is
read. A bad file never stops the program: it is reported, and the default theme takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from textual.color import Color, ColorParseError
from textual.theme import Theme

from tui.config.errors import ConfigError
from tui.config.files import read_text

DEFAULT: Final = "puna"
TERMINAL: Final = "ansi"
"""The theme of the terminal's own colours: for sixteen-colour terminals and under NO_COLOR."""

COLORS: Final = ("background", "surface", "text", "muted", "faint", "border", "accent", "good", "warn", "bad")
METER: Final = ("used", "ours", "ghost", "free")
CODE: Final = ("keyword", "string", "number", "comment", "function", "type")
_TABLES: Final[Mapping[str, Sequence[str]]] = {"colors": COLORS, "meter": METER, "code": CODE}


class ThemeError(ValueError):
    """A theme file that cannot be used; the text names the file, the key and what to write instead."""


class ThemeBook:
    """Every theme by name, read when asked for. A person's own file hides a shipped one of the same name."""

    def __init__(self, shipped: Path, own: Path | None = None) -> None:
        self._files: dict[str, Path] = {}
        self._themes: dict[str, Theme] = {}
        self._about: dict[str, str] = {}
        for folder in (shipped, own):
            self._files.update({path.stem: path for path in _theme_files(folder)})

    @property
    def names(self) -> tuple[str, ...]:
        """All names: the default first, then by name, the terminal's own colours last."""
        middle = sorted(set(self._files) - {DEFAULT, TERMINAL})
        return tuple(name for name in (DEFAULT, *middle, TERMINAL) if name in self._files or name == DEFAULT)

    def get(self, name: str) -> Theme:
        """The theme of that name; raises ThemeError when there is none or its file is bad."""
        if name not in self._themes:
            self._themes[name] = self._read(name)
        return self._themes[name]

    def get_or_default(self, name: str) -> tuple[Theme, ThemeError | None]:
        """The theme of that name, or the default one and why."""
        try:
            return self.get(name), None
        except ThemeError as error:
            return self.default(), error

    def default(self) -> Theme:
        """The default theme; Textual's own dark colours if even its file is missing or bad."""
        try:
            return self.get(DEFAULT)
        except ThemeError:
            return fallback()

    def problems(self) -> tuple[ThemeError, ...]:
        """Read every file and say what is wrong with those that cannot be used."""
        found = []
        for name in self._files:
            try:
                self.get(name)
            except ThemeError as error:
                found.append(error)
        return tuple(found)

    def about(self, name: str) -> str:
        """A few words on a theme that has been read; empty without any."""
        return self._about.get(name, "")

    def loaded(self) -> dict[str, Theme]:
        """Themes read so far, by name."""
        return dict(self._themes)

    def _read(self, name: str) -> Theme:
        file = self._files.get(name)
        if file is None:
            raise ThemeError(f"There is no theme {name!r}; {_nearest(name, self.names)}.")
        tables = _read_tables(file)
        theme = _make(file, tables)
        self._about[name] = tables.get("about", "")
        return theme


def _theme_files(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError:
        return []


def read_theme(path: Path) -> Theme:
    """Read one theme file; raises ThemeError in words."""
    return _make(path, _read_tables(path))


def _read_tables(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        text = read_text(path)
    except ConfigError as error:
        raise ThemeError(str(error)) from None
    if text is None:
        raise ThemeError(f"{path}: is not there any more.")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(f"{path}: is not TOML: {error}.") from None
    except RecursionError:
        raise ThemeError(f"{path}: is not a theme: its values are nested too deeply.") from None


def _make(path: Path, tables: Mapping[str, Any]) -> Theme:
    try:
        return make_theme(path.stem, tables)
    except ThemeError as error:
        raise ThemeError(f"{path}: {error}") from None


def make_theme(name: str, tables: Mapping[str, Any]) -> Theme:
    """A Textual theme from a theme file's tables; raises ThemeError for the first thing that is wrong with them."""
    known = ("about", "dark", "ansi", *_TABLES)
    for key in tables:
        if key not in known:
            raise ThemeError(f"{key} is not known here; {_nearest(key, known)}.")
    flags = {key: tables.get(key, key == "dark") for key in ("dark", "ansi")}
    for key, value in flags.items():
        if not isinstance(value, bool):
            raise ThemeError(f"{key} is true or false, not {value!r}.")
    if not isinstance(tables.get("about", ""), str):
        raise ThemeError(f"about is a few words, not {tables['about']!r}.")
    c, m, k = (_colors(table, tables.get(table), flags["ansi"]) for table in _TABLES)
    return Theme(
        name=name,
        primary=c["accent"],
        secondary=c["muted"],
        accent=c["accent"],
        warning=c["warn"],
        error=c["bad"],
        success=c["good"],
        foreground=c["text"],
        background=c["background"],
        surface=c["surface"],
        panel=c["surface"],
        dark=flags["dark"],
        ansi=flags["ansi"],
        variables=_variables(c, m, k, ansi=flags["ansi"]),
    )


def fallback() -> Theme:
    """Colours for an installation whose own theme files are missing; they are the terminal's."""
    meter = {"used": "ansi_default", "ours": "ansi_cyan", "ghost": "ansi_yellow", "free": "ansi_bright_black"}
    colors = dict.fromkeys(COLORS, "ansi_default") | {
        "faint": "ansi_bright_black",
        "border": "ansi_bright_black",
        "accent": "ansi_cyan",
        "good": "ansi_green",
        "warn": "ansi_yellow",
        "bad": "ansi_red",
    }
    code = dict.fromkeys(CODE, "ansi_default")
    return make_theme(DEFAULT, {"dark": True, "ansi": True, "colors": colors, "meter": meter, "code": code})


def _colors(table: str, values: object, ansi: bool) -> dict[str, str]:
    """The colours of one table, every one present and readable by Textual."""
    known = _TABLES[table]
    if not isinstance(values, dict):
        raise ThemeError(f"the table [{table}] is missing; it holds {', '.join(known)}.")
    for key in values:
        if key not in known:
            raise ThemeError(f"{table}.{key} is not known; {_nearest(key, known)}.")
    for key in known:
        value = values.get(key)
        if value is None:
            raise ThemeError(f"{table}.{key} is missing; give it a colour such as {_example(ansi)}.")
        if not isinstance(value, str):
            raise ThemeError(f"{table}.{key} is a text such as {_example(ansi)}, not {value!r}.")
        try:
            color = Color.parse(value)
        except ColorParseError:
            raise ThemeError(f"{table}.{key}: {value!r} is not a colour; write it like {_example(ansi)}.") from None
        if (color.ansi is not None) != ansi:
            how = (
                "set ansi = true to use the terminal's colours" if not ansi else "with ansi = true every colour is one"
            )
            raise ThemeError(f"{table}.{key}: {value!r} does not go with ansi = {str(ansi).lower()}; {how}.")
    return {key: values[key] for key in known}


def _example(ansi: bool) -> str:
    return '"ansi_cyan"' if ansi else '"#dbb671"'


def _variables(c: Mapping[str, str], m: Mapping[str, str], k: Mapping[str, str], *, ansi: bool) -> dict[str, str]:
    """Names for our styles ($muted, $frame, $meter-used, $code-string…) and for the parts of Textual that are used."""
    own = {"muted": c["muted"], "faint": c["faint"], "frame": c["border"]}
    own |= {f"meter-{part}": color for part, color in m.items()}
    own |= {f"code-{part}": color for part, color in k.items()}
    textual = {
        "border": c["accent"],
        "border-blurred": c["border"],
        "scrollbar": c["border"],
        "scrollbar-hover": c["faint"],
        "scrollbar-active": c["accent"],
        "scrollbar-background": c["background"],
        "scrollbar-background-hover": c["background"],
        "scrollbar-background-active": c["background"],
        "scrollbar-corner-color": c["background"],
        "foreground-muted": c["muted"],
        "text-muted": c["muted"],
        "text-disabled": c["faint"],
    }
    if ansi:
        textual |= {"ansi-background": c["background"], "ansi-foreground": c["text"]}
    else:
        textual |= {
            "input-cursor-background": c["accent"],
            "input-cursor-foreground": c["background"],
            "input-selection-background": f"{c['accent']} 30%",
            "screen-selection-background": f"{c['accent']} 30%",
        }
    return own | textual


def _nearest(text: str, known: Sequence[str]) -> str:
    import difflib  # only needed when something is wrong

    close = difflib.get_close_matches(text, known, n=1)
    return f"perhaps {close[0]} is meant" if close else f"there are {', '.join(known)}"
