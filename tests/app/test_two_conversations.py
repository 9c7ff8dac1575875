"""What belongs to one conversation or pane stays with it while two are open: draft, preset, thinking, the message that
is edited, what was deleted, and what is being written to both.
"""

from __future__ import annotations

from pathlib import Path

from tests.app.rig import Bench, World, home_paths, workbench
from tests.app.test_panes import idle, said, split
from tui.app.pane import Pane
from tui.app.panels.chat.state import Ready
from tui.app.screens.conversations.screen import ConversationsScreen


def preset(pane: Pane) -> str:
    assert pane.turns.talk is not None
    found = pane.turns.talk.session.preset
    return found.name if found is not None else ""


async def drafts(bench: Bench) -> list[str]:
    """What is stored as being written, by conversation."""
    found = await bench.app.desk.history.call(lambda store: sorted(store.conversations(), key=lambda one: one.id))
    return [one.draft for one in found or ()]


def written(pane: Pane) -> int:
    """Tokens of the prompt, as a pane's line tells them."""
    status = pane.view.status
    return status.writing if isinstance(status, Ready) else 0


async def test_draft_and_preset_stay_with_their_conversation(tmp_path: Path) -> None:
    folder = home_paths(tmp_path).presets_dir
    folder.mkdir(parents=True)
    (folder / "terse.toml").write_text('[preset]\nsystem = "Be terse."\n')
    async with workbench(tmp_path, World(["one"], ["two"])) as bench:
        first, second = await split(bench)
        bench.app.desk.chatting.switch_thinking()
        await bench.write("hello")
        await idle(bench)
        assert dict(zip(bench.world.engine.panes, bench.world.engine.thought, strict=True)) == {
            first.sequence: False, second.sequence: None,
        }  # fmt: skip
        assert first.label.endswith("(no thinking)")
        await bench.press("alt+p")
        await bench.shows("How the next answers are made")
        await bench.press(*"terse", "enter")
        await bench.until(lambda: preset(first) == "terse")
        assert preset(second) == ""
        bench.app.bench.chat.editor.text = "half a draft"
        await bench.until(lambda: (written(first), written(second)) == (3, 3))
        await bench.press("alt+a")
        await bench.until(lambda: (written(first), written(second)) == (3, 0))
        await bench.app.desk.drafts.keep()
        assert await drafts(bench) == ["half a draft", ""]
        await bench.press("alt+x")
        await bench.app.desk.drafts.keep()
        assert await drafts(bench) == ["", "half a draft"], "what is written is for the chosen pane"
        await bench.press("alt+x", "ctrl+n")
        await bench.until(lambda: said(first) == [])
        await bench.app.desk.history.call(lambda store: store.tags())  # whatever was asked of the store before is done
        assert await drafts(bench) == ["half a draft", ""]
        assert bench.app.bench.chat.editor.text == ""
        await bench.app.desk.history.open(1)
        assert bench.app.bench.chat.editor.text == "half a draft"
        assert (preset(first), preset(second)) == ("terse", "")


async def test_a_message_is_edited_and_deleted_where_it_is(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["one"], ["two"], ["better one"])) as bench:
        first, second = await split(bench)
        await bench.write("hello")
        await idle(bench)
        await bench.press("escape", "[", "[", "E")
        assert bench.app.desk.branches.edited_in is first
        await bench.press("alt+x", "enter")
        await bench.until(lambda: said(first) == ["hello", "better one"])
        await idle(bench)
        assert said(second)[0] == "hello"
        assert len(said(second)) == 2
        await bench.press("escape", "[", "D")
        await bench.until(lambda: said(second) == ["hello"])
        await bench.press("x", "[", "D")
        await bench.until(lambda: said(first) == ["hello"])
        await bench.press("x", "U")
        await bench.until(lambda: len(said(second)) == 2)
        assert said(first) == ["hello"], "what was deleted in the other pane stays deleted"


async def test_a_conversation_that_is_deleted_leaves_the_pane_that_shows_it(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["one"], ["two"])) as bench:
        first, second = await split(bench)
        await bench.write("hello")
        await idle(bench)
        await bench.press("escape", "h")
        await bench.until(lambda: isinstance(bench.app.screen, ConversationsScreen))
        shown = second.turns.talk.session.conversation  # type: ignore[union-attr]
        assert shown is not None
        await bench.app.desk.conversations._do("delete", shown)
        assert said(second) == []
        assert said(first)[0] == "hello"
