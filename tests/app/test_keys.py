"""The action table and the keys that follow from it, re-keyed or not."""

from __future__ import annotations

from pathlib import Path

from textual.events import Key

from tests.app.rig import World, home_paths, workbench, write_config
from tui.app.commands import PARTS
from tui.app.keys import default_keymap, make_keymap, show_key
from tui.app.panels.chat.transcript import Transcript
from tui.app.panels.downloads.list import DownloadList
from tui.app.panels.finder.dialog import FilterScreen
from tui.app.panels.finder.panel import FinderPanel
from tui.app.panels.load.panel import LoadPanel
from tui.app.panels.meter.panel import MeterPanel
from tui.app.rows import RowList
from tui.app.screens.add import AddScreen
from tui.app.screens.choose import ChooseScreen
from tui.app.screens.conversations.screen import ConversationsScreen
from tui.app.screens.delete import DeleteScreen
from tui.config.actions import ACTIONS, BY_ID
from tui.config.keys import REFUSED

DOES = {
    "transcript": Transcript,
    "list": RowList,
    "finder": FinderPanel,
    "wishes": FilterScreen,
    "load": LoadPanel,
    "meter": MeterPanel,
    "downloads": DownloadList,
    "dialog": ChooseScreen,
    "choice": DeleteScreen,
    "path": AddScreen,
    "conversations": ConversationsScreen,
}


def test_every_action_has_something_that_carries_it_out() -> None:
    for action in ACTIONS:
        if action.built_in:
            continue
        if action.group in DOES:
            assert hasattr(DOES[action.group], f"action_{action.does or action.id}"), action.id
        else:
            assert sum(hasattr(part, action.id) for part in PARTS) == 1, action.id


def test_ids_are_unique_and_no_default_key_is_one_that_terminals_swallow() -> None:
    assert len(BY_ID) == len(ACTIONS)
    for action in ACTIONS:
        for key in default_keymap().keys[action.id]:
            assert action.built_in or key not in REFUSED, (action.id, key)
            assert key not in ("ctrl+a", "ctrl+b", "ctrl+s"), action.id
            lost = ("shift+enter", "ctrl+enter", "ctrl+tab")
            assert key not in lost, (action.id, key)
            assert "ctrl+shift" not in key, (action.id, key)


def test_what_is_wanted_while_writing_has_a_key_that_is_no_letter() -> None:
    for name in (
        "help",
        "find",
        "library",
        "load",
        "again",
        "copy",
        "write_answer",
        "new_chat",
        "conversations",
        "palette",
        "quit",
    ):
        assert any(len(key) > 1 and key != "question_mark" for key in default_keymap().keys[name]), name


def test_default_keys_clash_nowhere_but_where_only_one_can_be_meant() -> None:
    together = ("list", "library", "finder", "wishes", "load", "meter", "transcript", "dialog", "crash", "choice")
    for group in (*together, "conversations"):
        seen: dict[str, str] = {}
        for action in ACTIONS:
            for key in default_keymap().keys[action.id] if action.group == group else ():
                assert key not in seen, (key, action.id, seen[key])
                seen[key] = action.id
    assert make_keymap({}).problems == ()


def test_bindings_follow_the_wishes_and_what_cannot_be_met_is_told() -> None:
    keymap = make_keymap({"library": "f11", "again": "ctrl+a"})
    assert [binding.id for binding in keymap.bindings("app").get_bindings_for_key("f11")] == ["library"]
    assert keymap.keys["again"] == default_keymap().keys["again"]
    assert keymap.problems == ("keys.again: ctrl+a belongs to screen. Choose another key.",)


def test_keys_are_shown_as_people_write_them() -> None:
    assert [show_key(key) for key in ("ctrl+p", "f1", "question_mark", "enter", "escape", "L")] == [
        "^p",
        "F1",
        "?",
        "↵",
        "esc",
        "L",
    ]
    assert show_key("enter", ascii_only=True) == "enter"


async def test_keys_of_the_person_work_and_are_shown(tmp_path: Path) -> None:
    write_config(tmp_path, '[keys]\nlibrary = "f11"\nagainx = "x"\n')
    async with workbench(tmp_path, size=(160, 40)) as bench:
        line = f"{home_paths(tmp_path).config_file}, line 3: keys.againx: there is no such action; did you mean again?"
        await bench.until(lambda: any(line in words for words in bench.notices))
        await bench.shows("F11 library")
        await bench.press("f2")
        assert bench.app.bench.chat.editor.has_focus
        await bench.press("f11")
        assert bench.app.bench.library.has_focus


async def test_letters_are_text_in_the_prompt_and_keys_outside_of_it(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press("o", "l", "q")
        assert bench.app.bench.chat.editor.text == "olq"
        await bench.shows("esc leave")
        await bench.press("escape", "l")
        assert bench.app.bench.library.has_focus
        await bench.press("c")
        assert bench.app.bench.chat.editor.has_focus
        assert bench.app.bench.chat.editor.text == "olq"


async def test_keys_pressed_before_the_first_frame_are_not_lost(tmp_path: Path) -> None:
    async with workbench(tmp_path, settle=False) as bench:
        assert not bench.app.settled
        await bench.pilot.press("h", "i")
        await bench.until(lambda: bench.app.settled and bench.app.bench.chat.editor.text == "hi")


async def test_two_prompts_typed_before_the_first_frame_are_two(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."], ["Two."]), settle=False) as bench:
        assert not bench.app.settled
        for key in ("a", "a", "enter", "b", "enter", "c"):
            bench.app.post_message(Key(key, key if len(key) == 1 else None))
        await bench.shows("Two.")
        assert [messages[-1].content for messages in bench.world.engine.asked] == ["aa", "b"]
        assert bench.app.bench.chat.editor.text == "c"


async def test_help_and_palette_show_something_however_small_and_the_cursor_stays_in_sight(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(20, 5)) as bench:
        for size in ((20, 5), (80, 16), (80, 24)):
            await bench.pilot.resize_terminal(*size)
            await bench.press("f1")
            await bench.shows("Everywhere")
            await bench.press("escape", "ctrl+p")
            await bench.shows("help")
            assert isinstance(bench.app.screen, ChooseScreen)
            for _row in bench.app.screen.rows.rows[1:]:
                bench.app.post_message(Key("down", None))
            await bench.shows(f"{bench.app.glyphs.pointer} {bench.app.screen.rows.rows[-1].title}")
            await bench.press("escape")


async def test_help_shows_every_action_and_the_palette_runs_one(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(120, 400)) as bench:
        await bench.press("f1")
        await bench.shows("Everywhere", "In the load panel")
        text = " ".join(bench.text().replace("│", " ").split())  # however its lines end
        for action in ACTIONS:
            assert action.help in text, action.id
        await bench.press("escape")
        await bench.press("ctrl+p")
        await bench.shows("What now?", "type to narrow")
        await bench.press("t", "h", "e", "m")
        await bench.until(lambda: "Show every key." not in bench.text())
        await bench.press("enter")
        await bench.shows("laguna", "the terminal's own sixteen colours")


async def test_the_palette_closes_without_doing_anything(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press("ctrl+p")
        await bench.shows("What now?")
        await bench.press("down", "escape")
        assert "What now?" not in bench.text()
        assert bench.app.bench.chat.editor.has_focus


async def test_the_footer_offers_only_what_works_and_always_the_palette(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."]), size=(80, 24)) as bench:
        footer = bench.text().splitlines()[-1]
        assert "again" not in footer
        assert footer.endswith("^p more")
        await bench.write("Say one.")
        await bench.shows("One.", "3 tokens", "F5 again")
        await bench.press("f4")
        await bench.shows("↵ load", "a auto", "esc close", "^p more")


async def test_ctrl_c_ends_the_program_only_when_pressed_twice(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press("ctrl+c")
        await bench.until(lambda: any("Press ^c once more" in words for words in bench.notices))
        assert bench.app.is_running
        await bench.press("ctrl+c")
        await bench.until(lambda: not bench.app.is_running)
        assert bench.app.return_code == 0


async def test_q_quits_outside_of_the_prompt(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press("escape", "q")
        await bench.until(lambda: not bench.app.is_running)


def test_no_key_means_two_things_everywhere() -> None:
    taken: dict[str, str] = {}
    for action in ACTIONS:
        if action.group == "app":
            for key in default_keymap().keys[action.id]:
                assert key == "escape" or key not in taken, (key, action.id, taken.get(key))
                taken[key] = action.id
