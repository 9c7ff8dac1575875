"""kill -9 of the whole program in the middle of an answer: at most half a second of text is gone, and it goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.app.rig import World, home_paths, workbench
from tests.chat.rig import assert_sound
from tests.rigs.kills import Killed, kill_after
from tests.rigs.terminal import Terminal

ROOT = Path(__file__).parents[2]
LOSS_S = 0.5
"""Text that was on screen for longer than this, in seconds, is never lost to a kill."""


@pytest.mark.parametrize("seconds", [0.05, 0.6, 1.3])
async def test_at_most_half_a_second_of_text_is_lost(tmp_path: Path, seconds: float) -> None:
    command = [sys.executable, "-m", "tests.app.children.scripted", str(tmp_path), "count"]
    size = {"COLUMNS": "100", "LINES": "30"}  # readline may have left another one in the environment
    with Terminal(command, columns=100, rows=30, env=size, cwd=str(ROOT)) as terminal:
        terminal.wait_for("^p more")
        terminal.type("Count for ever\r")
        killed = kill_after(terminal, "counter", seconds)

    async with workbench(tmp_path, World(["Gone on with."])) as bench:
        await bench.until(lambda: any("1 unfinished answer of last time is kept" in words for words in bench.notices))
        await bench.press(bench.app.desk.keymap.keys["continue_last"][-1])
        await bench.shows("Count for ever", "cut off when puna ended")
        talk = bench.app.desk.chatting.talk
        assert talk is not None
        question, answer = talk.session.messages
        assert question.content == "Count for ever"
        numbers = [int(number) for number in answer.content.split()]
        assert numbers == list(range(len(numbers)))
        assert killed.lost_s(answer.content) <= LOSS_S
        await bench.press("escape", "X" if answer.content else "r")  # go on with it, or have it written anew
        whole = answer.content + "Gone on with."  # not looked for on the screen, where a line may end within it
        await bench.until(lambda: talk.session.messages[-1].content == whole)
    assert_sound(home_paths(tmp_path).history_file)


def test_the_age_of_what_was_lost_is_that_of_the_oldest_text() -> None:
    killed = Killed(((2.0, "onetwo"), (0.7, "twothree"), (0.1, "threefour")))
    assert killed.lost_s("one two three, **four**") == 0.0
    assert killed.lost_s("one two three") == 0.1
    assert killed.lost_s("one two") == 0.7
    assert killed.lost_s("") == 2.0
