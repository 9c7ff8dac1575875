"""Votes for the better answer: what they are about, who is hidden until then, and the table of what came of them."""

from __future__ import annotations

from pathlib import Path

from tests.app.rig import Bench, World, workbench
from tests.app.test_panes import idle, said, split
from tui.app.flows.votes import VoteFlow
from tui.chat.values import Message


class Chance:
    """Always the same."""

    def __init__(self, number: float) -> None:
        self._number = number

    def random(self) -> float:
        return self._number


def pair(bench: Bench) -> tuple[Message, Message] | None:
    """What a vote would be about."""
    return bench.app.desk.votes.pair


async def test_a_vote_is_kept_once_and_shown_in_the_table(tmp_path: Path) -> None:
    world = World(["good"], ["```\nbad\n```"], ["x"], ["y"])
    async with workbench(tmp_path, world, size=(160, 45)) as bench:
        await split(bench, "qwen")
        assert pair(bench) is None
        await bench.write("Which is better?")
        await idle(bench)
        assert pair(bench) is not None
        await bench.press("escape", "<")
        await bench.until(
            lambda: any("Your vote is kept: the left one, tiny-llama" in words for words in bench.notices)
        )
        assert pair(bench) is None, "it was voted about"
        await bench.write("And now?")
        await idle(bench)
        await bench.press("alt+3")
        await bench.until(lambda: any("both are as good" in words for words in bench.notices))
        await bench.press("escape", "W")
        await bench.shows("Your votes", "won", "lost", "tied")
        rows = [" ".join(line.split()) for line in bench.text().splitlines()]
        for row in ("tiny-llama Q4_K_M code 1 0 0", "chat 0 0 1", "qwen-coder Q8_0 chat 0 0 1", "code 0 1 0"):
            assert any(row in line for line in rows), row


async def test_answers_to_different_prompts_are_not_compared(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["a"], ["b"], ["c"])) as bench:
        await split(bench, "qwen")
        await bench.write("Both.")
        await idle(bench)
        await bench.press("alt+a")
        await bench.write("One.")
        await idle(bench)
        assert pair(bench) is None
        await bench.press("escape", "<")
        assert not any("vote" in words for words in bench.notices)


async def test_an_answer_that_both_panes_took_over_is_not_compared_with_itself(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["a"], ["b"], ["c"])) as bench:
        await bench.write("Before.")
        await idle(bench)
        first, second = await split(bench)
        assert said(first) == said(second) == ["Before.", "a"]
        assert pair(bench) is None
        await bench.write("Both.")
        await idle(bench)
        assert pair(bench) is not None


async def test_names_are_hidden_until_the_vote_and_sides_may_change(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["a"], ["b"], ["c"], ["d"]), size=(160, 45)) as bench:
        desk = bench.app.desk
        desk.votes = VoteFlow(desk, Chance(0.0))  # type: ignore[arg-type]
        first, second = await split(bench, "qwen")
        await bench.press("escape", "N")

        def chat() -> str:
            return "\n".join(line[72:] for line in bench.text().splitlines())

        await bench.until(lambda: "Q8_0" not in chat())
        await bench.write("Who?")
        await idle(bench)
        assert tuple(desk.panes) == (second, first), "they have changed places"
        assert first.view.region.x > second.view.region.x
        assert "tiny-llama" not in chat()
        assert "the left one" in chat()
        await bench.press("escape", ">")
        await bench.until(lambda: "tiny-llama Q4_K_M" in chat() and "qwen-coder Q8_0" in chat())
        assert any("the right one, tiny-llama Q4_K_M" in words for words in bench.notices)
        await bench.write("And you?")
        await idle(bench)
        assert "tiny-llama" not in chat(), "hidden again"
        await bench.press("escape", "N")
        await bench.until(lambda: "tiny-llama Q4_K_M" in chat())


async def test_without_votes_the_table_says_how_to_vote(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press("escape", "W")
        await bench.shows("There are no votes yet.")
