"""Several real processes on one history: killed in the middle of an answer, and writing at the same time."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.chat.rig import assert_sound, child, lines
from tui.chat.store import Store

LOSS_S = 0.5
"""Text older than this, in seconds, is never lost to a kill."""


@pytest.mark.parametrize("pieces", [1, 130, 201, 350, 512])
def test_a_kill_takes_at_most_half_a_second_of_text(history: Path, pieces: int) -> None:
    with child("stream", history) as process:
        said = lines(process)
        answer_id = int(next(said).removeprefix("answer "))
        moments = [next(said) for _ in range(pieces)]
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        moments += said
    heard = [(float(when), int(length)) for when, length in map(str.split, moments[:-1])]
    last = heard[-1][0] if heard else 0.0
    safe = max((length for when, length in heard if when <= last - LOSS_S), default=0)

    store = Store(history)
    assert store.report.recovered == (answer_id,)
    answer = store.message(answer_id)
    assert (answer.state, answer.reason) == ("cut", None)
    assert len(answer.thinking) + len(answer.content) >= safe
    everything = "".join(f"{number} " for number in range(len(moments) + 100))
    assert everything.startswith(answer.thinking + answer.content)
    assert store.message(answer.parent_id or 0).content == "Count for ever"
    follow_up = store.add_message(answer.conversation_id, answer_id, "user", "Go on")
    assert [m.id for m in store.thread(answer.conversation_id)] == [answer.parent_id, answer_id, follow_up.id]
    store.close()
    assert_sound(history)


def test_an_answer_in_another_running_puna_is_left_alone_until_that_is_gone(history: Path) -> None:
    with child("stream", history) as process:
        said = lines(process)
        answer_id = int(next(said).removeprefix("answer "))
        store = Store(history)
        assert store.report.recovered == ()
        before = store.message(answer_id)
        assert before.state == "streaming"
        while len(store.message(answer_id).thinking) <= len(before.thinking):
            next(said)
        store.close()
        process.send_signal(signal.SIGSTOP)  # a puna that is suspended is no dead one
        Store(history).close()
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
    store = Store(history)
    assert store.report.recovered == (answer_id,)
    assert store.message(answer_id).state == "cut"
    store.close()


def test_two_processes_write_at_once(history: Path) -> None:
    turns = 60
    store = Store(history)
    shared = store.create_conversation(title="shared").id
    with child("write", history, shared, "alpha", turns) as one, child("write", history, shared, "beta", turns) as two:
        for process in (one, two):
            assert next(lines(process)) == "ready"
        for process in (one, two):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in (one, two):
            assert list(lines(process)) == ["done"]
            assert process.wait() == 0
    counts = {c.title: c.message_count for c in store.conversations()}
    assert counts == {"shared": 4 * turns, "only alpha": 2 * turns, "only beta": 2 * turns}
    for name in ("alpha", "beta"):
        questions = [m for m in store.children(shared, None) if m.content.startswith(name)]
        assert [m.content for m in questions] == [f"{name} asks {turn}" for turn in range(turns)]
        for turn, question in enumerate(questions):
            (answer,) = store.children(shared, question.id)
            assert answer.content == "".join(f"{name}{turn}part{part} " for part in range(3))
            assert (answer.state, answer.model) == ("done", name)
    store.close()
    assert_sound(history)
