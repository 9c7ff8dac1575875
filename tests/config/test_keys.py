"""Keys after a person's wishes, and what is wrong with those."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from textual.keys import Keys, _character_to_key

from tui.config.keys import NAMED, character_of, chosen_keys, default_keys, key_problems, long_name
from tui.config.paths import paths


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        ({"again": "ctrl+a"}, "keys.again: ctrl+a belongs to screen. Choose another key."),
        ({"again": "^b"}, "keys.again: ctrl+b belongs to tmux. Choose another key."),
        ({"againx": "x"}, "keys.againx: there is no such action; did you mean again? The help (F1) lists them all."),
        ({"zzz": "x"}, "keys.zzz: there is no such action. The help (F1) lists them all."),
        (
            {"again": "l"},
            "keys.again: l is already 'library' (keys.library). Choose another key, or change that",
        ),
        ({"again": "?"}, "keys.again: ? is already 'help' (keys.help). Choose another key, or change that one too."),
        ({"again": "ctrl+q"}, "keys.again: ctrl+q is already 'quit' (keys.quit). Choose another key, or change that"),
        ({"again": "super-r"}, "keys.again: 'super-r' is not a key. Write one like r, ctrl+r, f5 or pagedown."),
        ({"again": "pgdown"}, "keys.again: 'pgdown' is not a key; did you mean pagedown?"),
        ({"send": "x"}, "keys.send: the prompt's own keys cannot be changed. Delete the line."),
    ],
)
def test_a_wish_that_cannot_be_met_is_told_and_leaves_the_default(wishes: dict[str, str], told: str) -> None:
    keys, problems = chosen_keys(wishes)
    assert [str(problem)[: len(told)] for problem in problems] == [told]
    assert keys == default_keys()


def test_two_actions_can_swap_keys_and_one_can_lose_all_of_its() -> None:
    keys, problems = chosen_keys({"library": "c", "chat": "l", "theme": "", "again": "^x, f5"})
    assert problems == ()
    assert (keys["library"], keys["chat"], keys["theme"], keys["again"]) == (("c",), ("l",), (), ("ctrl+x", "f5"))
    assert chosen_keys({"again": ","})[0]["again"] == ("comma",)


@pytest.mark.parametrize("wish", ["", "Z", "ctrl+x, ctrl+d"])
def test_quit_can_never_be_unbound(wish: str) -> None:
    keys, problems = chosen_keys({"quit": wish, "interrupt": wish and "f11"})
    assert problems == ()
    assert "ctrl+q" in keys["quit"]
    assert "ctrl+c" in keys["interrupt"]


def test_problems_say_where_they_stand(tmp_path: Path) -> None:
    places = paths({"PUNA_HOME": str(tmp_path)})
    places.config.mkdir(parents=True)
    places.config_file.write_text('[keys]\nagain = "f5"\n# mine\nlibrarx = "x"\n')
    (problem,) = key_problems(places, {"again": "f5", "librarx": "x"})
    assert (problem.file, problem.line, problem.key, problem.nearest) == (
        places.config_file, 4, "keys.librarx", "library",
    )  # fmt: skip


def test_keys_are_called_as_textual_calls_them() -> None:
    assert {key.value for key in Keys} >= NAMED
    printable = [chr(code) for code in range(32, 0x3000) if unicodedata.category(chr(code))[0] != "C"]
    assert [sign for sign in printable if long_name(sign) != _character_to_key(sign)] == []
    latin = [sign for sign in printable if sign < "ɐ"]
    assert [sign for sign in latin if character_of(long_name(sign)) != sign] == []
    assert [name for name in ("enter", "pgdown", "ctrl+x", "") if character_of(name) is not None] == []
