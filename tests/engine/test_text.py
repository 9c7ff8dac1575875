"""Tokens cut text anywhere, also inside a character, a stop text or a thinking tag; what comes out must not depend on
where.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.engine.protocol import Channel
from tui.engine.text import Outbox, TextStream, held_back

Out = tuple[str, str, bool]
"""Answer, thinking, and whether a stop text was seen."""


def run(pieces: Sequence[bytes], stop: Sequence[str] = (), thinking: str = "") -> Out:
    stream = TextStream(stop, thinking=thinking)
    texts = {"answer": "", "thinking": ""}
    for piece in pieces:
        for text, channel in stream.feed(piece):
            assert text
            texts[channel] += text
    for text, channel in stream.finish():
        assert text
        texts[channel] += text
    return texts["answer"], texts["thinking"], stream.stopped


def one_byte_at_a_time(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


ALPHABET = "ab<>/\n hiknté漢🌍[]TH"
words = st.lists(
    st.sampled_from(["<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "stop", "END", "\n"])
    | st.text(ALPHABET, max_size=6),
    max_size=8,
).map("".join)
stops = st.lists(st.sampled_from(["stop", "END", "st", "op", "\n\n", "<think>", "é"]) | st.text(ALPHABET, max_size=4))
openings = st.sampled_from(["", "", "<think>", "<thinking>", "[THINK]"])


@st.composite
def fragments(draw: st.DrawFn) -> list[bytes]:
    data = draw(words).encode()
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=8)))
    edges = [0, *cuts, len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(fragments(), stops, openings)
def test_the_same_text_comes_out_however_it_is_cut(pieces: list[bytes], stop: list[str], thinking: str) -> None:
    whole = b"".join(pieces)
    assert run(pieces, stop, thinking) == run([whole], stop, thinking)
    assert run(one_byte_at_a_time(whole), stop, thinking) == run([whole], stop, thinking)


@given(fragments())
def test_nothing_is_lost_or_added_without_marks(pieces: list[bytes]) -> None:
    text = b"".join(pieces).decode()
    answer, thinking, stopped = run([b"x", *pieces])  # text came first, so that a tag is something talked about
    assert (answer, thinking, stopped) == ("x" + text, "", False)


@given(fragments(), stops)
def test_what_comes_out_holds_no_stop_text(pieces: list[bytes], stop: list[str]) -> None:
    answer, _, _ = run([b"x", *pieces], stop)
    assert not any(text in answer for text in stop if text)


@given(st.binary(max_size=60), st.sets(st.integers(0, 60), max_size=6))
def test_bytes_that_are_no_text_become_replacement_characters(data: bytes, cuts: set[int]) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(edges)]
    whole = data.decode("utf-8", "replace")
    answer, thinking, _ = run([b"x", *pieces])
    # A character that was begun and never completed at the end is dropped.
    assert ("x" + whole).startswith(answer)
    assert set(whole[len(answer) - 1 :]) <= {"\ufffd"}
    assert not thinking


def test_no_piece_ends_inside_a_character() -> None:
    stream = TextStream()
    got = [[text for text, _ in stream.feed(piece)] for piece in one_byte_at_a_time("é漢🌍".encode())]
    assert got == [[], ["é"], [], [], ["漢"], [], [], [], ["🌍"]]


def test_a_character_that_was_never_completed_is_dropped() -> None:
    assert run([b"ok", "🌍".encode()[:3]]) == ("ok", "", False)


@pytest.mark.parametrize(
    ("pieces", "stop", "answer"),
    [
        ([b"one STOP two"], ["STOP"], "one "),
        ([b"one ST", b"OP two"], ["STOP"], "one "),
        ([b"one S", b"T", b"O", b"P two"], ["STOP"], "one "),
        ([b"one ST", b"ART"], ["STOP"], "one START"),
        ([b"one ST"], ["STOP"], "one ST"),
        ([b"STOP"], ["STOP"], ""),
        ([b"abc"], ["abc", "b"], "a"),
        ([b"a", b"b", b"c"], ["abc", "b"], "a"),
        ([b"aab"], ["ab"], "a"),
        ([b"a", b"a", b"b"], ["ab"], "a"),
        ([b"text"], [""], "text"),
        ([b"xyz\xc3", b"\xa9!"], ["é"], "xyz"),
    ],
)
def test_stop_texts(pieces: list[bytes], stop: list[str], answer: str) -> None:
    got, thinking, stopped = run(pieces, stop)
    assert (got, thinking) == (answer, "")
    assert stopped == (b"".join(pieces).decode() != answer)


def test_nothing_is_taken_after_a_stop_text() -> None:
    stream = TextStream(["."])
    assert list(stream.feed(b"One. Two")) == [("One", "answer")]
    assert stream.stopped
    assert list(stream.feed(b"Three")) == []
    assert list(stream.finish()) == []


@pytest.mark.parametrize(
    ("text", "answer", "thinking"),
    [
        ("<think>why</think>because", "because", "why"),
        ("<think>\nwhy\n</think>\n\nbecause", "because", "why\n"),
        ("\n<think>why</think>because", "\nbecause", "why"),
        ("<thinking>why</thinking>because", "because", "why"),
        ("[THINK]why[/THINK]because", "because", "why"),
        ("<think></think>because", "because", ""),
        ("<think>never closed", "", "never closed"),
        ("<think>a</think><think>b</think>c", "c", "ab"),
        ("<think>a</thinking>b</think>c", "c", "a</thinking>b"),
        ("The tag <think> opens, </think> closes.", "The tag <think> opens, </think> closes.", ""),
        ("</think>only closed", "</think>only closed", ""),
    ],
)
def test_thinking_is_set_apart(text: str, answer: str, thinking: str) -> None:
    for pieces in ([text.encode()], one_byte_at_a_time(text.encode())):
        assert run(pieces) == (answer, thinking, False)


@pytest.mark.parametrize(("opening", "closing"), [("<think>", "</think>"), ("<thinking>", "</thinking>")])
def test_a_prompt_that_opened_the_thinking(opening: str, closing: str) -> None:
    assert run([f"\nwhy{closing}\n\nbecause".encode()], thinking=opening) == ("because", "why", False)


def test_a_stop_text_means_nothing_inside_thinking() -> None:
    for pieces in ([b"<think>a END b</think>c END d"], one_byte_at_a_time(b"<think>a END b</think>c END d")):
        assert run(pieces, ["END"]) == ("c ", "a END b", True)


def test_the_line_ends_behind_thinking_are_no_stop_text() -> None:
    for pieces in ([b"<think>a</think>\n\nb\n\nc"], one_byte_at_a_time(b"<think>a</think>\n\nb\n\nc")):
        assert run(pieces, ["\n\n"]) == ("b", "a", True)


@given(st.text("ab", max_size=8), st.lists(st.text("ab", min_size=1, max_size=4), max_size=4))
def test_held_back_is_the_longest_beginning_of_a_mark(text: str, marks: list[str]) -> None:
    beginnings = {mark[:size] for mark in marks for size in range(1, len(mark))}
    assert held_back(text, marks) == max((len(part) for part in beginnings if text.endswith(part)), default=0)


def test_the_outbox_sends_at_once_then_gathers_and_never_mixes_channels() -> None:
    now, sent = 0.0, list[tuple[str, Channel]]()
    outbox = Outbox(lambda text, channel: sent.append((text, channel)), 0.1, lambda: now)
    outbox.put("a", "thinking")
    outbox.put("b", "thinking")
    outbox.put("c", "thinking")
    assert sent == [("a", "thinking")]
    outbox.put("d", "answer")
    assert sent == [("a", "thinking"), ("bc", "thinking")]
    now = 0.2
    outbox.put("e", "answer")
    assert sent[2:] == [("de", "answer")]
    outbox.put("f", "answer")
    outbox.flush()
    outbox.flush()
    assert sent[3:] == [("f", "answer")]
