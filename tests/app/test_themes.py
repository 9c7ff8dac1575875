"""Themes: the shipped ones can be read by a person, bad ones are told of, and they change while one looks."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from textual.color import Color

from tests.app.rig import home_paths, workbench, write_config
from tui.app.look import LookApp, wants_ascii
from tui.app.themes import DEFAULT, TERMINAL, ThemeBook, ThemeError, fallback, make_theme, read_theme
from tui.config.paths import share

SHIPPED = share("themes")
NAMES = sorted(path.stem for path in SHIPPED.glob("*.toml"))


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast of two colours."""

    def luminance(text: str) -> float:
        parts = [part / 255 for part in Color.parse(text).rgb]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_there_are_enough_a_light_one_and_one_of_sixteen_colours() -> None:
    book = ThemeBook(SHIPPED)
    assert len(book.names) >= 6
    assert book.names[0] == DEFAULT
    assert book.names[-1] == TERMINAL
    assert book.problems() == ()
    themes = [book.get(name) for name in book.names]
    assert any(not theme.dark for theme in themes)
    assert [theme.name for theme in themes if theme.ansi] == [TERMINAL]


@pytest.mark.parametrize("name", [name for name in NAMES if name != TERMINAL])
def test_a_shipped_theme_can_be_read(name: str) -> None:
    tables = tomllib.loads((SHIPPED / f"{name}.toml").read_text("utf-8"))
    colors, background = tables["colors"], tables["colors"]["background"]
    assert contrast(colors["text"], background) >= 7
    for key in ("muted", "accent", "good", "warn", "bad"):
        assert contrast(colors[key], background) >= 4.5, key
    assert contrast(colors["muted"], colors["surface"]) >= 4.5
    assert contrast(colors["faint"], background) >= 2.5
    for key in ("keyword", "string", "number", "function", "type"):
        assert contrast(tables["code"][key], background) >= 4.5, key
    assert contrast(tables["code"]["comment"], background) >= 3
    meter = [tables["meter"][key] for key in ("used", "ours", "ghost", "free")]
    assert len(set(meter)) == 4


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_theme_says_what_it_is_and_how_to_make_another(name: str) -> None:
    book = ThemeBook(SHIPPED)
    book.get(name)
    assert 10 < len(book.about(name)) < 110
    text = (SHIPPED / f"{name}.toml").read_text("utf-8")
    assert "To make your own, copy this file" in text
    assert all(line.startswith("#") or len(line) <= 120 for line in text.splitlines())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("accent =", "accentt ="), "colors.accentt is not known; perhaps accent is meant"),
        (('text = "', '# text = "'), "colors.text is missing; give it a colour such as"),
        (("#13171c", "#13171"), "colors.background: '#13171' is not a colour"),
        (("#13171c", "ansi_blue"), "does not go with ansi = false"),
        (("dark = true", 'dark = "yes"'), "dark is true or false, not 'yes'"),
        (("dark = true", "drak = true"), "drak is not known here; perhaps dark is meant"),
        (("[meter]", "[metre]"), "metre is not known here; perhaps meter is meant"),
        (("[colors]", "[colors"), "is not TOML"),
    ],
)
def test_a_bad_file_is_told_of_by_name_and_key(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    text = (SHIPPED / "puna.toml").read_text("utf-8")
    assert change[0] in text
    (tmp_path / "mine.toml").write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(ThemeError) as caught:
        read_theme(tmp_path / "mine.toml")
    assert told in str(caught.value)
    assert str(tmp_path / "mine.toml") in str(caught.value)


def test_a_file_that_is_no_text_and_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ThemeError, match="is not UTF-8 text"):
        read_theme(tmp_path / "mine.toml")
    book = ThemeBook(SHIPPED, tmp_path)
    theme, problem = book.get_or_default("lagun")
    assert theme.name == DEFAULT
    assert "perhaps laguna is meant" in str(problem)


def test_a_theme_nested_too_deeply_a_pipe_and_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("a = " + "[" * 100_000)
    with pytest.raises(ThemeError, match="nested too deeply"):
        read_theme(tmp_path / "mine.toml")
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(ThemeError, match=r"pipe\.toml"):
        read_theme(tmp_path / "pipe.toml")
    (tmp_path / "marked.toml").write_bytes(b"\xef\xbb\xbf" + (SHIPPED / "puna.toml").read_bytes())
    assert read_theme(tmp_path / "marked.toml").name == "marked"


def test_without_any_file_there_are_colours_all_the_same(tmp_path: Path) -> None:
    theme, problem = ThemeBook(tmp_path / "nothing").get_or_default("")
    assert problem is not None
    assert theme == fallback()
    assert make_theme(DEFAULT, tomllib.loads((SHIPPED / "puna.toml").read_text())).name == DEFAULT


async def test_the_persons_own_theme_hides_a_shipped_one(tmp_path: Path) -> None:
    own = home_paths(tmp_path).user_themes_dir
    own.mkdir(parents=True)
    text = (SHIPPED / "puna.toml").read_text("utf-8")
    (own / "laguna.toml").write_text(text.replace("#13171c", "#010203"), encoding="utf-8")
    (own / "sunset.toml").write_text(text, encoding="utf-8")
    book = ThemeBook(SHIPPED, own)
    assert book.get("laguna").background == "#010203"
    assert "sunset" in book.names


async def test_bad_themes_are_told_of_in_one_notice(tmp_path: Path) -> None:
    own = home_paths(tmp_path).user_themes_dir
    own.mkdir(parents=True)
    (own / "one.toml").write_text("dark = 1", encoding="utf-8")
    (own / "two.toml").write_text("[", encoding="utf-8")
    write_config(tmp_path, '[ui]\ntheme = "puna"\n')
    async with workbench(tmp_path) as bench:
        await bench.until(lambda: any("one.toml" in words and "two.toml" in words for words in bench.notices))
        assert len(bench.notices) == 1


async def test_a_theme_is_worn_while_the_cursor_is_on_it_and_kept_when_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    async with workbench(tmp_path) as bench:
        assert bench.app.theme == DEFAULT
        await bench.press("f9")
        await bench.shows("Theme", "cantuta")
        await bench.press("down")
        await bench.until(lambda: bench.app.theme == "cantuta")
        await bench.press("escape")
        await bench.until(lambda: bench.app.theme == DEFAULT)
        await bench.press("f9", "down", "down", "enter")
        await bench.until(lambda: bench.app.theme == "laguna")
        config = home_paths(tmp_path).config_file
        await bench.until(lambda: config.exists() and 'theme = "laguna"' in config.read_text())


@pytest.mark.parametrize(
    ("environment", "theme"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, DEFAULT),
        ({"TERM": "tmux-256color", "COLORTERM": ""}, DEFAULT),
        ({"TERM": "screen", "COLORTERM": ""}, TERMINAL),
        ({"TERM": "linux", "COLORTERM": ""}, TERMINAL),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, TERMINAL),
    ],
)
def test_a_terminal_of_few_colours_or_none_keeps_its_own(
    environment: dict[str, str], theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert LookApp(ThemeBook(SHIPPED)).theme == theme


async def test_without_colour_nothing_coloured_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    async with workbench(tmp_path) as bench:
        filters = bench.app.get_line_filters()
        for strip in bench.app.screen._compositor.render_strips():
            for segment in strip.apply_filter(filters[-1], Color(0, 0, 0)):
                style = segment.style
                assert style is None or style.color is None or style.color.is_default
                assert style is None or style.bgcolor is None or style.bgcolor.is_default


@pytest.mark.parametrize(("encoding", "ascii_only"), [("UTF-8", False), ("utf8", False), ("ISO-8859-1", True)])
def test_ascii_is_used_where_the_terminals_text_is_not_utf_8(
    encoding: str, ascii_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locale.getpreferredencoding", lambda _set=True: encoding)
    assert wants_ascii(False) is ascii_only
    assert wants_ascii(True)
