"""What need not be computed again: the same text (`Held.match`), the same tokens, and what the memory can give back.

Checked against a model of it all: a tokenizer of one-letter words in which two special letters are control tokens.
"""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from tui.engine.prefix import Held, reusable

CONTROL = b"#|"
"""The letters that stand for control tokens."""


def is_control(piece: bytes) -> bool:
    return piece in (b"#", b"|")


def starts_with_control(rest: bytes) -> bool:
    return rest[:1] != b"" and rest[:1] in CONTROL


def held_of(pieces: list[bytes]) -> Held:
    held = Held()
    for number, piece in enumerate(pieces):
        held.add(number, piece, control=is_control(piece))
    return held


pieces = st.lists(st.sampled_from([b"a", b"b", b"ab", b" ", b" a", b"#", b"|", b"\xc3", b"\xa9", b""]), max_size=12)
texts = pieces.map(b"".join)


def longest_safe(held: list[bytes], prompt: bytes) -> int:
    """The model: the largest n for which the first n pieces are the prompt's beginning and the cut there is safe."""
    for n in range(len(held), 0, -1):
        text = b"".join(held[:n])
        rest = prompt[len(text) :]
        safe = (
            is_control(held[n - 1])
            or (n < len(held) and is_control(held[n]) and prompt.startswith(text + held[n]))
            or starts_with_control(rest)
            or (n == len(held) and rest[:1].isspace())
        )
        if prompt.startswith(text) and safe:
            return n
    return 0


@given(pieces, texts)
def test_a_match_is_a_true_prefix_cut_at_a_safe_place(held: list[bytes], prompt: bytes) -> None:
    n = held_of(held).match(prompt, starts_with_control)
    text = b"".join(held[:n])
    assert prompt.startswith(text)
    if n:
        rest = prompt[len(text) :]
        beside_control = is_control(held[n - 1]) or starts_with_control(rest)
        assert beside_control or (n == len(held) and rest[:1].isspace())


@given(pieces, pieces)
def test_nothing_that_could_stay_is_thrown_away(held: list[bytes], more: list[bytes]) -> None:
    assume(b"" not in held)  # a token without text may be counted to either side of a cut
    for prompt in (b"".join(more), b"".join([*held, *more]), b"".join([*held[: len(held) // 2], *more])):
        assert held_of(held).match(prompt, starts_with_control) == longest_safe(held, prompt)


@given(pieces, st.integers(0, 14))
def test_cutting_leaves_what_was_never_longer(held: list[bytes], count: int) -> None:
    cut = held_of(held)
    cut.cut(count)
    assert cut == held_of(held[:count])
    cut.add(99, b"z", control=False)
    assert bytes(cut.text) == b"".join([*held[:count], b"z"])


@given(st.lists(st.integers(0, 3), max_size=8), st.lists(st.integers(0, 3), max_size=8))
def test_same_tokens_counts_the_common_beginning(held: list[int], tokens: list[int]) -> None:
    noted = Held()
    for token in held:
        noted.add(token, b"", control=False)
    n = noted.same_tokens(tokens)
    assert held[:n] == tokens[:n]
    assert n == min(len(held), len(tokens)) or held[n] != tokens[n]


def test_a_generated_answer_split_otherwise_than_the_tokenizer_would_still_matches() -> None:
    held = held_of([b"#", b"user ", b"hi", b"|", b"#", b"he", b"l", b"lo"])  # a tokenizer would say "hello"
    assert held.match(b"#user hi|#hello|#user more|#", starts_with_control) == 8
    assert held.match(b"#user hi|#hello\n more", starts_with_control) == 8
    assert held.match(b"#user hi|#hello there|", starts_with_control) == 8
    # "hellos" may be a token of its own: cut before the answer, beside the control token.
    assert held.match(b"#user hi|#hellos|", starts_with_control) == 5
    assert held.match(b"#user ho|#", starts_with_control) == 1
    assert held.match(b"other", starts_with_control) == 0


class Cache:
    """A sliding-window cache as llama.cpp's: positions that fell out of the window may be overwritten at any time."""

    def __init__(self, n_swa: int, slack: int) -> None:
        self.n_swa, self.slack = n_swa, slack
        self.first, self.last = 0, -1

    def compute(self, count: int) -> None:
        """Decode `count` tokens after what is held."""
        self.last += count
        self.first = max(self.first, self.last + 1 - self.n_swa - self.slack, 0)

    def needs(self, position: int) -> int:
        """First position that a token computed at `position` looks at."""
        return max(0, position - self.n_swa + 1)


@given(st.integers(1, 20), st.integers(0, 10), st.lists(st.integers(1, 30), min_size=1, max_size=5), st.data())
def test_a_sliding_window_is_rolled_back_only_as_far_as_it_reaches(
    n_swa: int, slack: int, steps: list[int], data: st.DataObject
) -> None:
    cache = Cache(n_swa, slack)
    for step in steps:
        cache.compute(step)
    matched = data.draw(st.integers(0, cache.last + 5))
    kept = reusable(matched, first=cache.first, last=cache.last, n_swa=n_swa, swa_full=False, recurrent=False)
    position = min(matched, cache.last + 1)
    if kept:
        assert kept == position
        assert cache.first <= cache.needs(kept)
    else:
        assert position == 0 or cache.first > cache.needs(position)


@given(st.integers(0, 40), st.integers(-1, 30))
def test_a_recurrent_state_is_all_or_nothing(matched: int, last: int) -> None:
    kept = reusable(matched, first=last, last=last, n_swa=0, swa_full=False, recurrent=True)
    assert kept == (last + 1 if matched >= last + 1 else 0)


@given(st.integers(0, 40), st.integers(-1, 30), st.booleans())
def test_a_full_cache_gives_back_whatever_matches(matched: int, last: int, swa_full: bool) -> None:
    first = 0 if last >= 0 else -1
    kept = reusable(matched, first=first, last=last, n_swa=8 if swa_full else 0, swa_full=swa_full, recurrent=False)
    assert kept == min(matched, last + 1)


def test_a_cache_that_lost_its_beginning_is_not_trusted() -> None:
    assert reusable(10, first=3, last=20, n_swa=0, swa_full=False, recurrent=False) == 0
