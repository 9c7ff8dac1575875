"""The prompt editor in a running app: keys, messages, growing, history, pasting, and how little is painted."""

from __future__ import annotations

import pytest
from textual import events
from textual.geometry import Offset
from textual.pilot import Pilot

from tests.app.chat.host import Host, screen, showing
from tui.app.panels.chat.editor import PromptEditor


def host(pilot: Pilot[None]) -> Host:
    assert isinstance(pilot.app, Host)
    return pilot.app


def submitted(pilot: Pilot[None]) -> list[str]:
    return [event.text for event in host(pilot).heard if isinstance(event, PromptEditor.Submitted)]


def changes(pilot: Pilot[None]) -> int:
    return sum(isinstance(event, PromptEditor.Changed) for event in host(pilot).heard)


async def write(pilot: Pilot[None], text: str) -> None:
    names = {" ": "space", "\\": "backslash", "?": "question_mark"}
    await pilot.press(*[names.get(character, character) for character in text])


async def test_typing_and_sending() -> None:
    editor = PromptEditor()
    async with showing(editor) as pilot:
        await write(pilot, "hi there?")
        assert editor.text == "hi there?"
        assert changes(pilot) == 9
        await pilot.press("enter")
        assert submitted(pilot) == ["hi there?"]
        assert editor.text == ""
        await pilot.press("ctrl+z")
        assert editor.text == "hi there?"


async def test_what_is_typed_behind_enter_is_another_prompt() -> None:
    editor = PromptEditor()
    async with showing(editor) as pilot:
        for key in ("a", "enter", "b", "enter", "enter", "space", "enter", "c"):
            editor.post_message(events.Key(key, " " if key == "space" else key if len(key) == 1 else None))
        await pilot.pause()
        assert submitted(pilot) == ["a", "b"]
        assert editor.text == " c"


async def test_a_letter_with_alt_is_a_key_although_the_terminal_says_which_letter() -> None:
    editor = PromptEditor()
    async with showing(editor) as pilot:
        editor.post_message(events.Key("alt+s", "s"))
        editor.post_message(events.Key("s", "s"))
        await pilot.pause()
        assert editor.text == "s"
        assert not editor.check_consume_key("alt+s", "s")


async def test_letters_belong_to_the_prompt_and_other_keys_to_the_app() -> None:
    editor = PromptEditor()
    async with showing(editor) as pilot:
        await pilot.press("q")
        assert not host(pilot).app_key
        assert editor.text == "q"
        await pilot.press("ctrl+z", "ctrl+y")
        assert editor.text == "q"
        assert not host(pilot).app_key
        await pilot.press("ctrl+y")  # nothing to do again: the key is the app's
        assert host(pilot).app_key
        assert not {"ctrl+a", "ctrl+b"} & set(editor._keys)


async def test_letters_with_alt_are_the_app_s_as_terminals_send_them() -> None:
    editor = PromptEditor()
    async with showing(editor) as pilot:
        editor.post_message(events.Key("alt+v", "v"))
        await pilot.pause()
        assert editor.text == ""


@pytest.mark.parametrize("key", ["ctrl+j", "alt+enter", "shift+enter"])
async def test_new_lines(key: str) -> None:
    editor = PromptEditor()
    async with showing(editor) as pilot:
        await pilot.press("a", key, "b")
        assert editor.text == "a\nb"
        assert editor.size.height == 2


async def test_a_backslash_before_enter_is_a_new_line() -> None:
    editor = PromptEditor()
    async with showing(editor) as pilot:
        await write(pilot, "a\\")
        await pilot.press("enter", "b", "enter")
        assert submitted(pilot) == ["a\nb"]


async def test_it_grows_with_its_text_and_then_scrolls() -> None:
    editor = PromptEditor()
    async with showing(editor, (20, 24)) as pilot:
        assert editor.size.height == 1
        editor.text = "one two three four five six"
        await pilot.pause()
        assert screen(editor) == ["one two three four", "five six"]
        editor.text = "\n".join(f"line {number}" for number in range(20))
        await pilot.pause()
        assert screen(editor) == [f"line {number}" for number in range(12, 20)]
        await pilot.press("ctrl+home")
        assert screen(editor) == [f"line {number}" for number in range(8)]
        editor.clear()
        await pilot.pause()
        assert editor.size.height == 1


async def test_moving_by_rows_keeps_the_column() -> None:
    editor = PromptEditor("abcdef\nab\nabcdef")
    async with showing(editor) as pilot:
        await pilot.press("up")
        assert editor.cursor == (1, 2)
        await pilot.press("up")
        assert editor.cursor == (0, 6)
        await pilot.press("left", "left", "down", "down")
        assert editor.cursor == (2, 4)


async def test_moving_by_rows_of_a_wrapped_line() -> None:
    editor = PromptEditor("aaaa bbbb cccc dddd eeee")
    async with showing(editor, (12, 10)) as pilot:
        await pilot.press("home")
        assert editor.cursor == (0, 20)
        await pilot.press("up")
        assert editor.cursor == (0, 10)
        await pilot.press("end")
        assert editor.cursor[1] in (18, 19)
        await pilot.press("ctrl+home", "down", "home")
        assert editor.cursor == (0, 10)


async def test_history() -> None:
    editor = PromptEditor()
    async with showing(editor) as pilot:
        editor.set_history(["first", "second\nof two lines"])
        await write(pilot, "draft")
        await pilot.press("up")
        assert editor.text == "second\nof two lines"
        await pilot.press("up")
        assert editor.text == "first"
        await pilot.press("up")
        assert editor.text == "first"
        await pilot.press("down", "down", "down")
        assert editor.text == "draft"
        await pilot.press("enter", "up")
        assert editor.text == "draft"


async def test_editing_keys() -> None:
    editor = PromptEditor("one two three")
    async with showing(editor) as pilot:
        await pilot.press("ctrl+w")
        assert editor.text == "one two "
        await pilot.press("ctrl+left", "ctrl+k")
        assert editor.text == "one "
        await pilot.press("ctrl+u")
        assert editor.text == ""
        await pilot.press("ctrl+z", "ctrl+z", "ctrl+z")
        assert editor.text == "one two three"
        await pilot.press("home", "delete", "alt+d", "end", "alt+backspace", "backspace")
        assert editor.text == " two"


async def test_wide_characters_and_the_cursor() -> None:
    editor = PromptEditor("漢字x")
    async with showing(editor) as pilot:
        await pilot.press("left", "left")
        strip = editor.render_line(0)
        reversed_text = [segment.text for segment in strip if segment.style and segment.style.reverse]
        assert reversed_text == ["字"]
        assert pilot.app.cursor_position == editor.content_region.offset + Offset(2, 0)
        await pilot.press("backspace")
        assert editor.text == "字x"


async def test_the_cursor_is_there_only_with_the_focus() -> None:
    editor = PromptEditor("x")
    async with showing(editor) as pilot:
        assert any(segment.style and segment.style.reverse for segment in editor.render_line(0))
        pilot.app.set_focus(None)
        await pilot.pause()
        assert not any(segment.style and segment.style.reverse for segment in editor.render_line(0))


async def test_the_placeholder() -> None:
    editor = PromptEditor(placeholder="Ask something")
    async with showing(editor) as pilot:
        assert screen(editor) == ["Ask something"]
        await pilot.press("x")
        assert screen(editor) == ["x"]
        await pilot.press("backspace")
        editor.placeholder = "Other"
        assert screen(editor) == ["Other"]


async def test_pasting() -> None:
    editor = PromptEditor("ab")
    async with showing(editor) as pilot:
        await pilot.press("left")
        editor.post_message(events.Paste("1\r\n2\x1b[31m\x00"))
        await pilot.pause()
        assert editor.text == "a1\n2b"
        assert editor.cursor == (1, 1)
        await pilot.press("ctrl+z")
        assert editor.text == "ab"


@pytest.mark.parametrize("text", ["line of text\n" * 80_000, "x" * 1_000_000, "漢字かな" * 250_000, "a\tb " * 250_000])
async def test_a_megabyte_is_laid_out_only_near_the_cursor(text: str) -> None:
    editor = PromptEditor()
    async with showing(editor, (80, 24)) as pilot:
        editor.post_message(events.Paste(text))
        await pilot.pause()
        assert len(editor.text) == len(text)
        assert editor.size.height == 8
        await pilot.press("x", "up", "up", "left", "backspace")
        assert len(editor.text) == len(text)
        await pilot.press("ctrl+home", "y")
        assert editor.text.startswith("y" + text[0])


async def test_a_key_paints_one_row() -> None:
    editor = PromptEditor("one\ntwo\nthree")
    async with showing(editor) as pilot:
        await pilot.pause()
        editor._repaint_regions.clear()
        editor.insert("x")
        assert [(region.y, region.height) for region in editor._repaint_regions] == [(2, 1)]
        await pilot.pause()
        editor._repaint_regions.clear()
        await pilot.press("up")
        editor.insert("y")
        assert {region.height for region in editor._repaint_regions} <= {1}


async def test_a_click_moves_the_cursor() -> None:
    editor = PromptEditor("hello\nworld")
    async with showing(editor) as pilot:
        await pilot.click(PromptEditor, offset=(2, 0))
        assert editor.cursor == (0, 2)
        await pilot.click(PromptEditor, offset=(30, 1))
        assert editor.cursor == (1, 5)


async def test_dangerous_text_is_drawn_as_harmless_text() -> None:
    editor = PromptEditor()
    async with showing(editor):
        editor.text = "a\u202eb\tc\ufeff"
        assert screen(editor) == ["ab    c"]
        assert editor.text == "a\u202eb\tc\ufeff"


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 2), (300, 80)])
async def test_every_size_of_screen(size: tuple[int, int]) -> None:
    editor = PromptEditor("some words and 漢字")
    async with showing(editor, size) as pilot:
        await pilot.press("x", "up", "left", "ctrl+j", "backspace", "end", "home", "down")
        assert len(screen(editor)) == editor.size.height
