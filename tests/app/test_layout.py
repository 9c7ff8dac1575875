"""Sizes: side by side or one at a time, small and too small, and back."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from rich.cells import cell_len
from textual import events
from textual.widget import Widget

from tests.app.rig import LLAMA, Bench, World, a_model, workbench
from tui.app.app import Opening

LONG = a_model("Llama-3.3-70B-Instruct-abliterated-with-a-name-that-somebody-thought-was-a-good-idea", gib=46)
ODD = a_model("[/x] [bold]名前 \x1b[31mred")


def regions(bench: Bench) -> dict[str, bool]:
    """Which of the panels are on the screen."""
    found = {}
    for name in ("library", "talk", "load", "ask", "meter", "keys"):
        widgets = bench.app.screen_stack[0].query(f"#{name}")
        found[name] = bool(widgets) and widgets.first().region.area > 0
    return found


async def test_below_160_columns_there_is_one_panel_and_always_the_prompt(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(40, 10)) as bench:
        for size in ((40, 10), (60, 16), (80, 24), (120, 40), (159, 50)):
            await bench.pilot.resize_terminal(*size)
            assert regions(bench) == {
                "library": True, "talk": False, "load": False, "ask": True, "meter": True, "keys": True,
            }, size  # fmt: skip
            await bench.press("f3")
            assert regions(bench)["talk"], size
            assert not regions(bench)["library"], size
            await bench.press("f4")
            await bench.until(lambda: regions(bench)["load"])
            assert not regions(bench)["library"], size
            assert regions(bench)["ask"], size
            await bench.press("escape", "f2")
            await bench.until(lambda: regions(bench)["library"] and not regions(bench)["load"])


async def test_from_160_columns_on_all_are_there(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(160, 45)) as bench:
        for size in ((160, 45), (200, 50), (300, 80)):
            await bench.pilot.resize_terminal(*size)
            assert regions(bench) == {
                "library": True, "talk": True, "load": False, "ask": True, "meter": True, "keys": True,
            }, size  # fmt: skip
            await bench.press("f4")
            await bench.until(lambda: all(regions(bench).values()))
            await bench.press("escape")
            await bench.until(lambda: not regions(bench)["load"])


async def test_a_terminal_that_is_too_small_says_so_and_recovers(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."]), size=(80, 24)) as bench:
        await bench.write("Say one.")
        await bench.shows("One.", "3 tokens")
        await bench.press("h", "a", "l", "f")
        for size in ((20, 5), (39, 40), (120, 9)):
            await bench.pilot.resize_terminal(*size)
            await bench.until(lambda: "too small" in bench.text().replace("\n", " "))
            assert "(needs" in bench.text().replace("\n", " ")
            assert "One." not in bench.text()
            await bench.pilot.resize_terminal(80, 24)
            await bench.shows("One.", "half")
            assert "too small" not in bench.text()
            assert bench.app.bench.chat.editor.has_focus


async def test_it_starts_in_a_terminal_that_is_too_small(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(20, 5)) as bench:
        await bench.until(lambda: "too small" in bench.text())
        await bench.pilot.resize_terminal(80, 24)
        await bench.shows("Library", "tiny-llama")


async def test_names_from_outside_are_shown_as_they_are_and_fit(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."]), models=(LONG, ODD, LLAMA), size=(40, 10)) as bench:
        for size in ((40, 10), (80, 24), (160, 45)):
            await bench.pilot.resize_terminal(*size)
            await bench.press("f2")
            for line in bench.text().splitlines():
                assert cell_len(line) <= size[0]
                assert "\x1b" not in line
            await bench.shows("[/x] [bold]名前 red")
            await bench.press("home", "down", "enter")
            await bench.shows("Load [/x] [bold]名前 red")
            await bench.press("enter")
            await bench.shows("[/x] [bold]名前 red Q4_K_M" if size[0] > 60 else "[/x] [bold]名前 red")
            assert bench.app.is_running


async def test_resizing_while_an_answer_streams_keeps_everything(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["word " * 200]), size=(160, 45)) as bench:
        await bench.write("Many words")
        for size in ((80, 24), (40, 10), (20, 5), (300, 80), (160, 45)):
            await bench.pilot.resize_terminal(*size)
            await bench.pilot.pause()
        await bench.shows("word word", "3 tokens")


async def test_chat_can_be_what_is_opened(tmp_path: Path) -> None:
    async with workbench(tmp_path, opening=Opening(view="chat"), size=(80, 24)) as bench:
        assert regions(bench)["talk"]
        await bench.shows("Write below, and this model answers:", "tiny-llama", "F1 shows every key")


async def test_a_conversation_can_be_what_is_opened(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["Kept."])) as bench:
        await bench.write("Remember this")
        await bench.shows("Kept.", "3 tokens")
        talk = bench.app.desk.chatting.talk
        assert talk is not None
        assert talk.session.conversation is not None
        number = talk.session.conversation.id
    async with workbench(tmp_path, opening=Opening(view="chat", conversation=number)) as bench:
        await bench.shows("Remember this", "Kept.")
    async with workbench(tmp_path, opening=Opening(view="chat", conversation=999)) as bench:
        await bench.until(lambda: any("999" in words for words in bench.notices))


async def test_clicks_do_what_keys_do(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(80, 24)) as bench:
        await bench.pilot.click("#library", offset=(6, 2))
        assert bench.app.bench.library.index == 1
        await bench.pilot.click("#library", offset=(6, 2))
        await bench.shows("Load qwen-coder")
        footer = bench.text().splitlines()[-1]
        await bench.pilot.click("#keys", offset=(footer.index("close"), 0))
        await bench.until(lambda: bench.app.bench.load is None)


async def test_in_ascii_everything_of_ours_is_ascii(tmp_path: Path) -> None:
    world = World(["One."])
    async with workbench(tmp_path, world, opening=Opening(ascii_only=True), size=(160, 45)) as bench:
        seen = [bench.text()]
        await bench.write("Say one.")
        await bench.shows("One.", "3 tokens")
        seen.append(bench.text())
        for keys in (["f1"], ["escape", "ctrl+p"], ["escape", "f4"], ["escape", "f9"], ["escape", "f6"]):
            await bench.press(*keys)
            await bench.pilot.pause()
            seen.append(bench.text())
        await bench.pilot.resize_terminal(20, 5)
        await bench.until(lambda: "too small" in bench.text())
        seen.append(bench.text())
        for text in seen:
            assert text.isascii(), sorted({sign for sign in text if not sign.isascii()})


def is_high(editor: Widget, rows: int) -> bool:
    return editor.size.height == rows


async def test_a_long_prompt_grows_and_leaves_room_for_the_rest(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(40, 10)) as bench:
        editor = bench.app.bench.chat.editor
        editor.text = "\n".join(str(number) for number in range(30))
        for size, rows in (((40, 10), 2), ((80, 24), 6), ((120, 40), 8)):
            await bench.pilot.resize_terminal(*size)
            await bench.until(partial(is_high, editor, rows))
            assert bench.app.bench.library.size.height > 0
            assert "29" in bench.text()


async def test_what_is_typed_right_behind_a_key_goes_where_that_key_leads(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press("escape")
        for key in "ihey":
            bench.app.post_message(events.Key(key, key))
        await bench.until(lambda: bench.app.bench.chat.editor.text == "hey")
        await bench.press("escape")
        for key in "lccit":
            bench.app.post_message(events.Key(key, key))
        await bench.until(lambda: bench.app.bench.chat.editor.text == "heycit")
        await bench.press("escape", "l")
        for key in ("slash", *"gemma", "escape", *"chi"):
            bench.app.post_message(events.Key(key, {"slash": "/", "escape": None}.get(key, key)))
        await bench.until(lambda: bench.app.bench.chat.editor.text == "heycithi")
        panel = bench.app.desk.finder.panel
        assert panel is not None
        assert panel.wishes.query == "gemma"
