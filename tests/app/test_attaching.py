"""Files that go along with a prompt, in the workbench: sized, completed, sent, refused, folded, edited."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.rig import LLAMA, QWEN, Bench, World, home_paths, workbench
from tests.rigs.pictures import noise_png
from tests.rigs.projector_maker import tiny_projector
from tui.app.panels.chat.editor import PromptEditor
from tui.app.panels.chat.state import Ready
from tui.config.model_file import update_model
from tui.engine.protocol import ImageFile
from tui.library import Model
from tui.llama.picture import digest_of


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

        def all_that_is_sent() -> bool:
            status = bench.status()
            return isinstance(status, Ready) and status.writing == len(["@notes.txt", "@gone.txt"]) + 5

        await bench.until(all_that_is_sent)


async def test_prompts_are_sent_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."], ["Two."])) as bench:
        for words in ("First @notes.txt", "second"):  # which has nothing to be read
            bench.app.desk.attaching.on_prompt_editor_submitted(
                PromptEditor.Submitted(bench.app.bench.chat.editor, words)
            )
        await bench.until(lambda: bench.world.engines and len(bench.world.engine.asked) == 2)
        assert [message.content.split()[0] for message in bench.world.engine.asked[-1]] == ["First", "One.", "second"]


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


# ---- images


@pytest.fixture
def sighted(tmp_path: Path) -> Model:
    """A model with a projector beside it."""
    tiny_projector(tmp_path / "models" / "mmproj-F16.gguf")
    return replace(LLAMA, path=tmp_path / "models" / "tiny-llama.gguf")


def kept(image: ImageFile) -> str:
    """What lies where an engine is told to look."""
    return digest_of(Path(image.path.decode()).read_bytes())


async def test_an_image_is_counted_sent_and_shown_small(tmp_path: Path, folder: Path, sighted: Model) -> None:
    noise_png(folder / "cat.png", 90, 60)
    world = World(["A cat."], ["Still."])
    projector = str(folder.parent / "models" / "mmproj-F16.gguf")
    update_model(home_paths(tmp_path), sighted.identity, {"mmproj": projector})
    async with workbench(tmp_path, world, models=(sighted,)) as bench:
        await bench.press(*"@cat.png")
        await bench.shows("cat.png, 90 x 60 pixels")
        await ask(bench, "What is @cat.png?")
        await bench.shows("A cat.", "cat.png, 90 x 60 pixels", "▀▀▀▀▀▀")
        (told,) = world.engine.asked[0]
        assert told.content == "What is @cat.png?"
        (image,) = told.images
        assert kept(image) == digest_of((folder / "cat.png").read_bytes())
        await bench.press(*"@cat.png")
        await bench.shows("cat.png, 90 x 60 pixels, 64 tokens")
        (folder / "cat.png").unlink()
        await bench.press("ctrl+u")
        await ask(bench, "And now?")
        await bench.until(lambda: len(world.engine.asked) == 2)
        assert world.engine.asked[1][0].images == (image,), "it is looked at again where it was kept"


async def test_a_model_that_cannot_see_is_told_and_nothing_is_lost(tmp_path: Path, folder: Path) -> None:
    noise_png(folder / "cat.png", 90, 60)
    world = World(["One."])
    async with workbench(tmp_path, world, models=(QWEN,)) as bench:
        await bench.write("What is @cat.png?")
        await bench.shows("qwen-coder cannot see images", "Fetch its projector", "Send the words alone")
        assert not world.engines
        await bench.press("escape")
        assert editor(bench) == "What is @cat.png?"
        await bench.press("enter")
        await bench.shows("Send the words alone")
        await bench.press("down", "enter")
        await bench.shows("One.")
        assert [(told.content, told.images) for told in world.engine.asked[0]] == [("What is @cat.png?", ())]
        assert not editor(bench)


async def test_a_model_that_was_loaded_without_its_projector_is_loaded_with_it(
    tmp_path: Path, folder: Path, sighted: Model
) -> None:
    noise_png(folder / "cat.png", 90, 60)
    world = World(["One."], ["A cat."])
    models = folder.parent / "models"
    (models / "mmproj-F16.gguf").rename(models / "later.gguf")
    async with workbench(tmp_path, world, models=(sighted,)) as bench:
        await ask(bench, "Hello")
        (models / "later.gguf").rename(models / "mmproj-F16.gguf")
        await bench.write("What is @cat.png?")
        await bench.shows("it was loaded without its projector", "Load it with its projector")
        await bench.press("enter")
        await bench.until(lambda: len(world.engines) == 2 and bench.app.desk.loading.ready)
        assert world.engine.receipt.projector == "mmproj-F16.gguf"
        await bench.press("enter")
        await bench.shows("A cat.")
        assert world.engine.asked[0][-1].images


async def test_a_bad_image_is_told_while_one_writes_and_when_it_is_sent(
    tmp_path: Path, folder: Path, sighted: Model
) -> None:
    whole = noise_png(folder / "cat.png", 90, 60).read_bytes()
    (folder / "cut.png").write_bytes(whole[:5000])
    (folder / "text.png").write_text("no image at all")
    async with workbench(tmp_path, World(["One."]), models=(sighted,)) as bench:
        await bench.write("See @cut.png and @text.png")
        await bench.until(lambda: any("cut.png is damaged" in words for words in bench.notices))
        assert any("text.png is no image that can be opened" in words for words in bench.notices)
        assert editor(bench) == "See @cut.png and @text.png"
