"""Files that go along with a prompt, in the workbench: sized, completed, sent, refused, folded, edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.rig import Bench, World, workbench


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a few files."""
    made = tmp_path / "work"
    (made / "src").mkdir(parents=True)
    (made / "notes.txt").write_text("silt and sand\nand clay\n")
    (made / "src" / "one.py").write_text("print(1)\n")
    (made / "src" / "only.py").write_text("print(2)\n")
    monkeypatch.chdir(made)
    return made


def editor(bench: Bench) -> str:
    return bench.app.bench.chat.editor.text


async def ask(bench: Bench, text: str) -> None:
    await bench.write(text)
    await bench.until(lambda: not bench.app.desk.chatting.busy and bench.world.engines and bench.world.engine.asked)


async def test_a_file_goes_along_and_is_shown_folded(tmp_path: Path) -> None:
    world = World(["Soil."])
    async with workbench(tmp_path, world) as bench:
        await ask(bench, "What is in @notes.txt?")
        await bench.shows("Soil.", "notes.txt, 2 lines, 23 B")
        assert world.engine.asked[0][0].content == (
            'What is in @notes.txt?\n\n```txt attached="notes.txt"\nsilt and sand\nand clay\n```'
        )
        assert "silt and sand" not in bench.text()
        await bench.press("escape", "home", "e")
        await bench.shows("silt and sand")
        await bench.press("c", "up")
        assert editor(bench) == "What is in @notes.txt?"


async def test_its_size_is_told_while_one_writes(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."])) as bench:
        await bench.press(*"@notes.txt")
        await bench.shows("notes.txt, ~ 5 tokens")
        await bench.press("ctrl+u", *"hi", "enter")
        await bench.until(lambda: "notes.txt" not in bench.text())
        await bench.until(lambda: bench.app.desk.loading.ready and not bench.app.desk.chatting.busy)
        await bench.press(*"@notes.txt @gone.txt")
        await bench.shows("notes.txt, 5 tokens; gone.txt: there is no such file")


async def test_what_cannot_go_along_is_told_and_sent_without_when_sent_again(tmp_path: Path) -> None:
    world = World(["One."])
    async with workbench(tmp_path, world) as bench:
        await bench.write("Compare @notes.txt and @gone.txt")
        await bench.until(lambda: any("gone.txt: there is no such file" in words for words in bench.notices))
        assert editor(bench) == "Compare @notes.txt and @gone.txt"
        assert not world.engines
        await bench.press("enter")
        await bench.shows("One.")
        content = world.engine.asked[0][0].content
        assert content.count("attached=") == 1
        assert "silt" in content


async def test_tab_completes_a_path(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press(*"see @no", "tab")
        await bench.until(lambda: editor(bench) == "see @notes.txt ")
        await bench.press(*"@s", "tab")
        await bench.until(lambda: editor(bench).endswith("@src/"))
        await bench.press("tab")
        await bench.until(lambda: editor(bench).endswith("@src/on"))
        await bench.press("tab")
        await bench.shows("Attach which file?", "src/one.py", "src/only.py")
        await bench.press("down", "enter")
        await bench.until(lambda: editor(bench) == "see @notes.txt @src/only.py ")
        await bench.press(*"@zz", "tab")
        await bench.until(lambda: any("No file begins with zz" in words for words in bench.notices))
        await bench.press("space", "tab")
        assert not bench.app.bench.chat.editor.has_focus, "tab goes on to the next part"


async def test_an_edited_message_keeps_a_file_that_is_gone(tmp_path: Path, folder: Path) -> None:
    world = World(["One."], ["Two."])
    async with workbench(tmp_path, world) as bench:
        await ask(bench, "What is in @notes.txt?")
        (folder / "notes.txt").unlink()
        await bench.press("escape", "E")
        assert editor(bench) == "What is in @notes.txt?"
        await bench.press(*" Briefly.", "enter")
        await bench.shows("Two.")
        assert world.engine.asked[1][0].content.startswith("What is in @notes.txt? Briefly.\n\n```txt")
        assert "silt" in world.engine.asked[1][0].content
