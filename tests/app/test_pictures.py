"""True pictures in the workbench: sent once to a terminal that understands them, and to no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.rig import Bench, World, home_paths, workbench, write_config
from tests.rigs.pictures import noise_png
from tui.app.app import PunaApp
from tui.app.flows import pictures
from tui.app.panels.chat.message import Picture, TranscriptMessage
from tui.app.panels.chat.placeholders import HIGHEST

PLACEHOLDER = "\U0010eeee"
Sent = list[str]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What goes to the terminal beside frames; the terminal is kitty unless a test says otherwise."""
    for name in ("TMUX", "STY", "TERM_PROGRAM", "KITTY_INSTALLATION_DIR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-kitty")
    monkeypatch.setenv("COLORTERM", "truecolor")
    words: Sent = []
    monkeypatch.setattr(PunaApp, "to_terminal", lambda _app, sequence: words.append(sequence))
    return words


def images(sent: Sent, start: str) -> list[str]:
    """Those of the protocol that begin so."""
    return [words for words in sent if words.startswith(f"\x1b_G{start}")]


def show(bench: Bench, *files: Path) -> None:
    """Messages with images, of red pixels as half blocks."""
    bench.app.bench.view = "chat"
    for number, file in enumerate(files):
        picture = Picture(file.name, 8, 8, b"\xff\0\0" * 64, file)
        message = TranscriptMessage(str(number), "user", "What is it?", pictures=(picture,))
        bench.app.bench.chat.pane.transcript.add_message(message)


async def test_in_kitty_an_image_is_sent_once_and_gone_at_the_end(tmp_path: Path, sent: Sent) -> None:
    async with workbench(tmp_path, World()) as bench:
        show(bench, noise_png(tmp_path / "cat.png", 90, 60))
        await bench.shows("cat.png", PLACEHOLDER)
        assert "▀" not in bench.text()
        (words,) = images(sent, "a=T")
        number = words.split("i=")[1].split(",")[0]
        assert ",c=8,r=4,f=100," in words
        await bench.press("escape", "question_mark")
        await bench.shows("Keys", "▀")
        assert PLACEHOLDER not in bench.text(), "a dialog dims what is below it: colours are no numbers any more"
        await bench.press("escape")
        await bench.shows(PLACEHOLDER)
        assert len(images(sent, "a=")) == 1
        bench.app.app_resume_signal.publish(bench.app)
        bench.app.refresh(layout=True)
        await bench.until(lambda: len(images(sent, "a=T")) == 2)
        await bench.shows(PLACEHOLDER)
        assert not images(sent, "a=d")
    (gone,) = images(sent, "a=d")
    assert gone == f"\x1b_Ga=d,d=I,i={int(number) % HIGHEST + 1},q=2\x1b\\"


async def test_the_least_recently_drawn_makes_room_and_a_bad_one_stays_as_it_is(
    tmp_path: Path, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "AT_ONCE", 2)
    files = [noise_png(tmp_path / f"{name}.png", 90, 60) for name in ("one", "two", "three")]
    files[1].write_bytes(b"no image")
    async with workbench(tmp_path, World(), size=(120, 20)) as bench:
        show(bench, *files[:2])
        await bench.until(lambda: PLACEHOLDER in bench.text() and len(bench.app.desk.pictures._asked) == 2)
        await bench.shows("▀")
        show_more = noise_png(tmp_path / "four.png", 90, 60)
        bench.app.bench.chat.pane.transcript.set_messages([])
        show(bench, files[2], show_more)
        await bench.until(lambda: len(images(sent, "a=T")) == 3)
        first = images(sent, "a=T")[0].split("i=")[1].split(",")[0]
        assert images(sent, "a=T")[2].endswith(f"\x1b_Ga=d,d=I,i={first},q=2\x1b\\")


def xterm(patch: pytest.MonkeyPatch, _home: Path) -> None:
    patch.setenv("TERM", "xterm-256color")


def few_colours(patch: pytest.MonkeyPatch, _home: Path) -> None:
    patch.delenv("COLORTERM")


def no_colour(patch: pytest.MonkeyPatch, _home: Path) -> None:
    patch.setenv("NO_COLOR", "1")


def off(_patch: pytest.MonkeyPatch, home: Path) -> None:
    write_config(home, '[ui]\npictures = "off"\n')


@pytest.mark.parametrize(("elsewhere", "shown"), [(xterm, "▀"), (few_colours, "▀"), (no_colour, ""), (off, "")])
async def test_nothing_is_sent_elsewhere(
    tmp_path: Path,
    sent: Sent,
    monkeypatch: pytest.MonkeyPatch,
    elsewhere: Callable[[pytest.MonkeyPatch, Path], None],
    shown: str,
) -> None:
    elsewhere(monkeypatch, tmp_path)
    async with workbench(tmp_path, World()) as bench:
        show(bench, noise_png(home_paths(tmp_path).config / "cat.png", 90, 60))
        await bench.shows("cat.png", shown)
        assert ("▀" in bench.text()) == bool(shown)
        assert PLACEHOLDER not in bench.text()
        assert not bench.app.desk.pictures._asked
    assert not images(sent, "")
